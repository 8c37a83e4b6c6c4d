import type { Flow } from "./flow.ts";
import { type FilterFacts, type FlowFilter, isWanted, mayBeWanted } from "./flow-filter.ts";

/** How many sockets may wait for their packets. */
const MOST_HELD = 256;

/** Selects the wanted flows of one node, in their order. A socket that asks for a Service has no address yet, so a filter by sender
 * cannot judge it: its flow is held back until its packets come and show whether it is wanted. */
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
