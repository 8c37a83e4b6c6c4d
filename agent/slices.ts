import { setImmediate } from "node:timers/promises";
import type { Steps } from "../model/steps.ts";

/** Milliseconds of work in a row before everybody else has a turn. */
const SLICE_MS = 10;

/** Does work in slices: the event loop turns after each, so that health, CNI and watches are answered meanwhile. */
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
