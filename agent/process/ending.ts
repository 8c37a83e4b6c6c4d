import { setTimeout } from "node:timers/promises";

/** Work to be done before the process ends. */
export type Ending = () => Promise<void>;

/** How long this work may take. The next agent of this node waits until the process has ended. */
const ENDING_MS = 3_000;

/** Ends this process. No cleanup is needed: an agent that is killed and an agent that ends leave the same state. But other nodes can take
 * over sooner from an agent that ends, for example the announcement of an address. */
export async function endAgent(endings: readonly Ending[], said: () => void): Promise<never> {
  await Promise.race([Promise.allSettled(endings.map((end) => end())), setTimeout(ENDING_MS)]);
  said();
  process.exit(0);
}
