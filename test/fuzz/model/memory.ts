// What pods of this node received and sent, as seen at the pod, and what this node wrapped for other nodes.
import { type Flow, keyOf, reversed } from "./flow.ts";

export class Memory {
  readonly #given = new Set<string>();
  readonly #sent = new Set<string>();
  /** Delivered by a later fragment, which does not show the translated source port of the first. */
  readonly #givenUnseen = new Set<string>();
  /** Each sent flow and its translation, and the reverse. */
  readonly #became = new Map<string, Flow>();
  readonly #wasBefore = new Map<string, Flow[]>();
  /** What this node wrapped for a backend elsewhere, and for which nodes. */
  readonly #forwarded = new Map<string, readonly string[]>();
  /** Flows that came wrapped with a valid source, and the node that wrapped them. */
  readonly #taken = new Map<string, string>();
  readonly #bounced = new Set<string>();

  give(flow: Flow, after: Flow, isPortSeen: boolean): void {
    this.#given.add(keyOf(after));
    if (!isPortSeen) this.#givenUnseen.add(withoutSourcePort(after));
    this.#become(flow, after);
  }

  send(flow: Flow, after: Flow = flow): void {
    this.#sent.add(keyOf(flow));
    this.#become(flow, after);
  }

  #become(flow: Flow, after: Flow): void {
    this.#became.set(keyOf(flow), after);
    const known = this.#wasBefore.get(keyOf(after)) ?? [];
    if (!known.some((one) => keyOf(one) === keyOf(flow))) this.#wasBefore.set(keyOf(after), [...known, flow]);
  }

  becameOf(flow: Flow): Flow | undefined {
    return this.#became.get(keyOf(flow));
  }

  /** Which flows are `after` once they are translated. */
  beforeOf(after: Flow): readonly Flow[] {
    return this.#wasBefore.get(keyOf(after)) ?? [];
  }

  wasGiven(flow: Flow): boolean {
    return this.#given.has(keyOf(flow)) || this.#givenUnseen.has(withoutSourcePort(flow));
  }

  wasSent(flow: Flow): boolean {
    return this.#sent.has(keyOf(flow));
  }

  /** Either end has sent or received a packet of it. */
  isKnown(flow: Flow): boolean {
    return [flow, reversed(flow)].some((one) => this.wasSent(one) || this.wasGiven(one));
  }

  forward(flow: Flow, nodes: readonly string[]): void {
    this.#forwarded.set(keyOf(flow), nodes);
  }

  /** The nodes that may answer it; undefined: it was not forwarded. */
  forwardedTo(flow: Flow): readonly string[] | undefined {
    return this.#forwarded.get(keyOf(flow));
  }

  take(flow: Flow, node: string): void {
    this.#taken.set(keyOf(flow), node);
  }

  takenFrom(flow: Flow): string | undefined {
    return this.#taken.get(keyOf(flow));
  }

  bounce(flow: Flow): void {
    this.#bounced.add(keyOf(flow));
  }

  isBounced(flow: Flow): boolean {
    return this.#bounced.has(keyOf(flow));
  }
}

const withoutSourcePort = (flow: Flow): string => keyOf({ ...flow, sourcePort: 0 });
