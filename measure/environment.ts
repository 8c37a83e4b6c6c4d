import { readFileSync } from "node:fs";
import { cpus, loadavg, release } from "node:os";
import { getObject } from "../kubernetes/get.ts";
import type { Api } from "../kubernetes/transport.ts";
import type { Environment } from "../report/results/environment.ts";
import { packageCommit, packageVersion } from "../verify/this-package.ts";
import { processorTimeBetween, readProcessorTime, stealShare } from "./counters/processor-time.ts";

/**
 * Records the environment of a measurement. Call it before; call the returned function after.
 * @param command the command that repeats the measurement
 */
export async function observeEnvironment(command: string, api?: Api): Promise<() => Environment> {
  const [load = 0] = loadavg();
  const before = readProcessorTime();
  const measuredAt = new Date().toISOString();
  const version = api && (await getObject<{ gitVersion: string }>(api, "/version").catch(() => undefined));
  const processors = readFileSync("/proc/cpuinfo", "utf8");
  return () => ({
    measuredAt,
    commit: packageCommit(),
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
