import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import type { AttemptResult, Probe } from "./batch.ts";
import { namespaceOf } from "./namespaces.ts";
import { runBatch } from "./run-batch.ts";

/** Runs a batch that may leave from several pods: one process per network namespace, all at once. */
export async function fanOut(
  probes: Probe[],
  emit: (result: AttemptResult) => void,
  findNamespace: (pod: string) => string = namespaceOf,
): Promise<void> {
  const here = probes.filter(({ pod }) => pod === undefined);
  const pods = new Map<string, Probe[]>();
  for (const probe of probes) {
    if (probe.pod !== undefined) pods.set(probe.pod, [...(pods.get(probe.pod) ?? []), { ...probe, pod: undefined }]);
  }
  await Promise.all([
    runBatch(here, emit),
    ...[...pods].map(async ([pod, own]) => {
      const answered = new Set<string>();
      try {
        await runIn(findNamespace(pod), own, (result) => {
          answered.add(`${result.id}#${result.attempt}`);
          emit(result);
        });
      } catch (error) {
        for (const result of unanswered(own, answered, (error as Error).message)) emit(result);
      }
    }),
  ]);
}

/** This program again, inside the network namespace: setns(2) works per thread, and Node has many. */
export async function runIn(netns: string, probes: Probe[], emit: (result: AttemptResult) => void): Promise<void> {
  const program = [process.execPath, ...process.execArgv, process.argv[1] ?? "", "probe"];
  const child = spawn("nsenter", [`--net=${netns}`, "--", ...program], { stdio: ["pipe", "pipe", "pipe"] });
  let said = "";
  child.stderr.on("data", (chunk) => {
    said = (said + chunk).slice(-500);
  });
  const ended = new Promise<void>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) =>
      code === 0 ? resolve() : reject(new Error(said.trim() || `nsenter ended with code ${code}`)),
    );
  });
  // The child may end before it has read everything; its exit code tells that better than EPIPE.
  child.stdin.on("error", () => {});
  child.stdin.end(`${JSON.stringify(probes)}\n`);
  for await (const line of createInterface(child.stdout)) emit(JSON.parse(line) as AttemptResult);
  await ended;
}

function unanswered(probes: Probe[], answered: Set<string>, error: string): AttemptResult[] {
  return probes.flatMap(({ id, count }) =>
    Array.from({ length: count }, (_, index) => index + 1)
      .filter((attempt) => !answered.has(`${id}#${attempt}`))
      .map((attempt) => ({ id, attempt, verdict: "none" as const, error })),
  );
}
