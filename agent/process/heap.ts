import { setFlagsFromString } from "node:v8";

/** By how many percent the heap may grow until it is collected again. V8's own rule lets it double: the garbage of the agent's start,
 * which is the most that an agent ever makes, would determine the agent's memory for as long as it runs. */
const GROWTH_PERCENT = 25;

/** Makes the collector prefer a small heap to rare collections. Call it before the heap has grown, and after modules are loaded: V8's
 * code cache is valid only for the flags with which it was made, so Node's own modules that are loaded later would be compiled again. */
export function keepHeapSmall(): void {
  setFlagsFromString(`--heap-growing-percent=${GROWTH_PERCENT}`);
}

/** Call it when the agent's start is over. V8 keeps the pages of what it has collected for the next garbage, and gives them back when the program
 * allocates little, by a measure that an agent never meets: up to 90 MB. Now it collects in small steps after some quiet seconds, and gives them back.
 * During the start that would cost a fifth more time. */
export function returnFreeMemory(): void {
  setFlagsFromString("--optimize-for-size");
}
