import { setFlagsFromString } from "node:v8";

/** By how many percent the heap may grow until it is collected again. V8's own rule lets it double: the garbage of the agent's start,
 * which is the most that an agent ever makes, would determine the agent's memory for as long as it runs. */
const GROWTH_PERCENT = 25;

/** Makes the collector prefer a small heap to rare collections. Call it before the heap has grown, and after modules are loaded: V8's
 * code cache is valid only for the flags with which it was made, so Node's own modules that are loaded later would be compiled again. */
export function keepHeapSmall(): void {
  setFlagsFromString(`--heap-growing-percent=${GROWTH_PERCENT}`);
}
