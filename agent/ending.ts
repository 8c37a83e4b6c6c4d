import { setTimeout } from "node:timers/promises";
import type { Ending } from "./load-balancer.ts";

/** How long an agent that ends may need for it; a new agent of this node waits meanwhile. */
const ENDING_MS = 3_000;

/** Ends this process. No cleanup is needed: a killed agent and one that ends leave the same state. But others can take over sooner. */
export async function endAgent(endings: readonly Ending[], said: () => void): Promise<never> {
  await Promise.race([Promise.allSettled(endings.map((end) => end())), setTimeout(ENDING_MS)]);
  said();
  process.exit(0);
}
