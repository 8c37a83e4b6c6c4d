import { setImmediate } from "node:timers/promises";
import type { Steps } from "../../model/steps.ts";

/** Milliseconds of work before yielding to other tasks. */
const SLICE_MS = 10;

/** Does work in slices: the event loop runs after each, so that health checks, CNI and watches are served meanwhile. */
export async function inSlices<R>(steps: Steps<R>, ms = SLICE_MS, now = () => performance.now()): Promise<R> {
  for (;;) {
    const until = now() + ms;
    do {
      const { done, value } = steps.next();
      if (done) return value;
    } while (now() < until);
    await setImmediate();
  }
}
