import type { Flow } from "./flow.ts";
import { type FilterFacts, type FlowFilter, isWanted, mayBeWanted } from "./flow-filter.ts";

/** Sockets whose packets have not been seen yet. */
const MOST_HELD = 256;

/** What a filter lets through of one node's flows, in their order. A socket that asks for a Service has no address yet, so that a filter by
 * sender cannot know it: it is held back until its packets come, which are wanted or not. */
export class FlowSelection {
  readonly #filter: FlowFilter;
  readonly #facts: FilterFacts;
  readonly #held: Flow[] = [];

  constructor(filter: FlowFilter, facts: FilterFacts) {
    this.#filter = filter;
    this.#facts = facts;
  }

  /** @param policyNames all policies that a refusal is about */
  take(flow: Flow, policyNames?: string): readonly Flow[] {
    const facts = policyNames === undefined ? this.#facts : { ...this.#facts, policyNames };
    if (isWanted(flow, this.#filter, facts)) return [...this.#asked(flow), flow];
    if (mayBeWanted(flow, this.#filter, facts) && this.#held.push(flow) > MOST_HELD) this.#held.shift();
    return [];
  }

  /** The socket whose packets these are. */
  #asked({ socket, protocol, to, service }: Flow): readonly Flow[] {
    if (socket || service !== undefined || this.#held.length === 0) return [];
    const found = this.#held.findIndex(
      (held) => held.protocol === protocol && held.backend?.address === to.address && held.backend.port === to.port,
    );
    return found < 0 ? [] : this.#held.splice(found, 1);
  }
}
