// ICMP and SCTP, for which Node has no sockets: the portable prober (Go) sends them, beside this program.
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import type { AttemptResult, Probe } from "./batch.ts";
import { portableBatch, readPortable } from "./portable.ts";
import { resolveHost } from "./resolve.ts";

/** Whether this program has no socket for it. */
export const isPortables = ({ protocol }: Probe): boolean => protocol === "icmp" || protocol === "sctp";

/** Go's names of processors. */
const PROCESSORS: Partial<Record<NodeJS.Architecture, string>> = { x64: "amd64", arm64: "arm64" };

/** Sends probes through the portable prober in this network namespace; every attempt gets a result. */
export async function runPortable(probes: Probe[], emit: (result: AttemptResult) => void): Promise<void> {
  const resolved = (await Promise.all(probes.map((probe) => resolveProbe(probe, emit)))).flat();
  if (resolved.length === 0) return;
  const answered = new Set<string>();
  const note = (result: AttemptResult): void => {
    answered.add(`${result.id}#${result.attempt}`);
    const { host } = probes.find(({ id }) => id === result.id) ?? {};
    const { host: address } = resolved.find(({ id }) => id === result.id) ?? {};
    emit({ ...result, ...(address !== host && { address }) });
  };
  const failure = await run(resolved, note).catch((error: Error) => error.message);
  for (const { id, count } of resolved)
    for (let attempt = 1; attempt <= count; attempt++)
      if (!answered.has(`${id}#${attempt}`))
        emit({ id, attempt, verdict: "none", error: failure ?? "the portable prober said nothing" });
}

/** By its name a probe reaches what this computer, or a pod's name server, says; the portable prober gets the address. */
export async function resolveProbe(probe: Probe, emit: (result: AttemptResult) => void): Promise<Probe[]> {
  try {
    return [{ ...probe, host: await resolveHost(probe.host, probe.dns, probe.family) }];
  } catch (error) {
    const unresolved = { verdict: "none", error: (error as Error).message, cause: "unresolved" } as const;
    for (let attempt = 1; attempt <= probe.count; attempt++) emit({ id: probe.id, attempt, ...unresolved });
    return [];
  }
}

/** @returns why it failed, if so */
async function run(probes: Probe[], note: (result: AttemptResult) => void): Promise<string | undefined> {
  const child = spawn(portableProgram(), { stdio: ["pipe", "pipe", "pipe"] });
  let said = "";
  child.stderr.on("data", (chunk) => {
    said = (said + chunk).slice(-500);
  });
  child.stdin.on("error", () => {});
  child.stdin.end(JSON.stringify(portableBatch(probes)));
  const lines = createInterface(child.stdout).on("line", (line) => note(readPortable(line, probes)));
  const read = new Promise((done) => lines.once("close", done));
  const code = await new Promise<number | null>((done, fail) => {
    child.once("error", fail);
    child.once("close", done);
  });
  await read;
  return code === 0 ? undefined : said.trim() || `the portable prober ended with code ${code}`;
}

/** Beside the bundle, in the package, the lab and the image; or where it was built, when this runs from source. */
export function portableProgram(): string {
  const name = join("probe", PROCESSORS[process.arch] ?? process.arch);
  const here = dirname(process.argv[1] ?? "");
  const found = [join(here, name), join(import.meta.dirname, name), join(import.meta.dirname, "..", "dist", name)].find(
    (path) => existsSync(path),
  );
  if (!found) throw new Error(`there is no prober for ICMP, SCTP and kept sockets at ${join(here, name)}: make build`);
  return found;
}
