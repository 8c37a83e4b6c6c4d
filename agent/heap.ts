import { setFlagsFromString } from "node:v8";

/** By how many percent the heap may grow until it is collected again. V8's own rule lets it double: a node would pay for the
 * garbage of its agent's start, which is most that an agent ever makes, as long as the agent runs. */
const GROWTH_PERCENT = 25;

/** Makes the collector prefer a small heap to rare collections. Call it before the heap has grown. */
export function keepHeapSmall(): void {
  setFlagsFromString(`--heap-growing-percent=${GROWTH_PERCENT}`);
}
