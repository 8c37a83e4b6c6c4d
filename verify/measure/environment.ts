import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { cpus, loadavg, release } from "node:os";
import { join } from "node:path";
import type { ApiServer } from "../cluster/api-server.ts";
import type { Environment } from "../results/environment.ts";
import { processorTimeBetween, readProcessorTime, stealShare } from "./processor-time.ts";

/**
 * Notes where and with what something is measured. Called before; what it returns is called after.
 * @param command what repeats the measurement
 */
export async function observeEnvironment(command: string, api?: ApiServer): Promise<() => Environment> {
  const [load = 0] = loadavg();
  const before = readProcessorTime();
  const measuredAt = new Date().toISOString();
  const version = await api?.json<{ gitVersion: string }>("/version").catch(() => undefined);
  const processors = readFileSync("/proc/cpuinfo", "utf8");
  return () => ({
    measuredAt,
    commit: commitOf(packageFolder),
    version: packageVersion(),
    kernel: release(),
    distribution: /^PRETTY_NAME="?([^"\n]*)/m.exec(readFileSync("/etc/os-release", "utf8"))?.[1] ?? "unknown",
    processor: cpus()[0]?.model ?? "unknown",
    cores: cpus().length,
    virtualized: /^flags\s*:.*\bhypervisor\b/m.test(processors),
    ...(version && { kubernetes: version.gitVersion }),
    stealShare: stealShare(processorTimeBetween(before, readProcessorTime())),
    loadBefore: load,
    command,
  });
}

/** The bundle lies in dist/, this file in verify/measure/. */
const packageFolder = import.meta.dirname.endsWith("dist")
  ? join(import.meta.dirname, "..")
  : join(import.meta.dirname, "..", "..");

const packageVersion = (): string =>
  (JSON.parse(readFileSync(join(packageFolder, "package.json"), "utf8")) as { version: string }).version;

/** Undefined for a package that is no checkout. */
function commitOf(folder: string): string | undefined {
  try {
    const git = (...args: string[]) =>
      execFileSync("git", ["-C", folder, ...args], { encoding: "utf8", stdio: "pipe", timeout: 10_000 }).trim();
    return git("describe", "--always", "--dirty", "--exclude=*", "--abbrev=12");
  } catch {
    return undefined;
  }
}
