import { spawn } from "node:child_process";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { LabFailure } from "../../lab/failure.ts";
import type { BenchPod } from "../testbed/bench-pod.ts";

/** Services that a pod waited for in vain. */
export class NotAnswered extends LabFailure {}

/** Seconds on the monotonic clock, which machines share. */
export const monotonicSeconds = (): number => Number(process.hrtime.bigint()) / 1e9;

/**
 * Starts to probe the targets ("10.97.0.1:80") from a pod; resolves once the first attempts have started.
 * @returns a function that waits for the last target and returns the time of its answer on the monotonic clock; it throws NotAnswered
 * after the given number of seconds
 */
export async function watchAnswers(
  { machine, name }: BenchPod,
  targets: string[],
  seconds: number,
): Promise<() => Promise<number>> {
  const program = join(import.meta.dirname, "await-answer.ts");
  const quiet = "--disable-warning=MODULE_TYPELESS_PACKAGE_JSON";
  const [file = "", ...args] = machine.argv([process.execPath, quiet, program, ...targets], name);
  const child = spawn(file, args, { stdio: ["ignore", "pipe", "ignore"] });
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
  await lines.next(); // "ready"
  const deadline = setTimeout(() => child.kill("SIGKILL"), seconds * 1000);
  return async () => {
    let last = 0;
    for (let missing = targets.length; missing > 0; missing--) {
      const { value, done } = await lines.next();
      if (done) throw new NotAnswered(`${missing} of ${targets.length} services did not answer within ${seconds} s`);
      last = Math.max(last, (JSON.parse(value) as { answeredNs: number }).answeredNs / 1e9);
    }
    clearTimeout(deadline);
    return last;
  };
}
