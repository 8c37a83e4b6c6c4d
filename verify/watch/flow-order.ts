import type { Flow } from "../../agent/observe/events/flow.ts";

/** How many flows of the past are kept until all nodes have sent theirs. */
const MOST_PAST = 50_000;

/** Merges the nodes' pasts in the order of time, before live flows. Clocks of nodes differ a little, so the order between nodes is only
 * as good as they are. */
export class FlowOrder {
  readonly #deliver: (flow: Flow, heard?: number) => void;
  readonly #most: number;
  /** Nodes that are still sending their past. */
  readonly #telling: Set<string>;
  #past: Flow[] = [];
  #waiting: [Flow, number][] = [];
  /** Flows of the past that there was no room for. */
  dropped = 0;

  /** @param nodes those that tell of the past first @param deliver is told when it was heard what happens now, in `performance.now()`; nodes' clocks may be
   * wrong */
  constructor(nodes: readonly string[], deliver: (flow: Flow, heard?: number) => void, most = MOST_PAST) {
    this.#telling = new Set(nodes);
    this.#deliver = deliver;
    this.#most = most;
  }

  add(node: string, flow: Flow): void {
    if (this.#telling.size === 0) this.#deliver(flow, performance.now());
    else if (this.#telling.has(node)) {
      if (this.#past.push(flow) >= this.#most * 2) this.#cut();
    } else if (this.#waiting.push([flow, performance.now()]) > this.#most) {
      this.#waiting.shift();
      this.dropped++;
    }
  }

  /** The node has sent its past, or will not send it. */
  told(node: string): void {
    if (!this.#telling.delete(node) || this.#telling.size > 0) return;
    this.#cut();
    const [past, waiting] = [this.#past, this.#waiting];
    [this.#past, this.#waiting] = [[], []];
    for (const flow of past) this.#deliver(flow);
    for (const [flow, heard] of waiting) this.#deliver(flow, heard);
  }

  #cut(): void {
    this.#past.sort((a, b) => (a.time < b.time ? -1 : a.time > b.time ? 1 : 0));
    const tooMany = Math.max(0, this.#past.length - this.#most);
    this.#past = this.#past.slice(tooMany);
    this.dropped += tooMany;
  }
}
