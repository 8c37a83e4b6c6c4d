import { setFlagsFromString } from "node:v8";

/** By how many percent the heap may grow until it is collected again. V8's own rule lets it double: a node would pay for the
 * garbage of its agent's start, which is most that an agent ever makes, as long as the agent runs. */
const GROWTH_PERCENT = 25;

/** Makes the collector prefer a small heap to rare collections. Call it before the heap has grown, and after modules are loaded: V8's code cache holds
 * for the flags that it was made with, so Node's own modules that are loaded later would be compiled again. */
export function keepHeapSmall(): void {
  setFlagsFromString(`--heap-growing-percent=${GROWTH_PERCENT}`);
}
