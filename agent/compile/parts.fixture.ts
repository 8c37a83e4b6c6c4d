import type { Steps } from "../../model/steps.ts";

/** Runs the parts and tells the longest, in milliseconds of this thread's own time: the computer may be busy. */
export function longest<R>(steps: Steps<R>): { result: R; ms: number; parts: number } {
  let ms = 0;
  for (let parts = 1; ; parts++) {
    const before = process.threadCpuUsage();
    const { done, value } = steps.next();
    const { user, system } = process.threadCpuUsage(before);
    ms = Math.max(ms, (user + system) / 1000);
    if (done) return { result: value, ms, parts };
  }
}

// Most runs stay below 80; a collection of garbage on a busy computer took 350, and there are slower ones. An agent is given 18 s by its
// liveness probe.
export const LONGEST_PART_MS = 4000;
