import { setFlagsFromString } from "node:v8";

/** By how many percent the heap may grow until it is collected again. V8's own rule lets it double. A start makes most of the garbage that an agent ever
 * makes: with the later figure, a start with 10,000 Services takes a fourth longer. */
const GROWTH_PERCENT = { duringStart: 50, later: 12 };

/** How long the collector gives memory back. Its last step comes about ten quiet seconds after the first. */
export const GIVING_BACK_MS = 20_000;

/** Of what the process held after it gave memory back: with more it does so again. Ordinary work needs less, by the growth above. */
const TOO_MUCH = 1.2;

/** Call it before the heap has grown, and after modules are loaded: V8's code cache holds for the flags that it was made with, so Node's own modules that
 * are loaded later would be compiled again. */
export function limitHeapGrowth(): void {
  setFlagsFromString(`--heap-growing-percent=${GROWTH_PERCENT.duringStart}`);
}

/**
 * Makes the collector prefer a small heap to rare collections. Call it when the agent's start is over. V8 keeps the pages of what it has collected for
 * the next garbage and gives them back only while a program allocates little, by a measure that an agent never meets: up to 90 MB. Optimizing for size,
 * it gives them back in small steps, but each of its collections also moves most objects, and takes twice the time. So it does this only for a while
 * after the start, and again whenever the process holds much more than was left then.
 */
export function keepHeapSmall(
  resident: () => number = process.memoryUsage.rss,
  setFlag: (flag: string) => void = setFlagsFromString,
): NodeJS.Timeout {
  setFlag(`--heap-growing-percent=${GROWTH_PERCENT.later}`);
  setFlag("--optimize-for-size");
  let left: number | undefined;
  const look = () => {
    if (left === undefined) {
      left = resident();
      setFlag("--no-optimize-for-size");
    } else if (resident() > left * TOO_MUCH) {
      left = undefined;
      setFlag("--optimize-for-size");
    }
  };
  return setInterval(look, GIVING_BACK_MS).unref();
}
