// Which node has which key: a load balancer's address, or the task of assigning addresses. A key's Lease names its holder and is written
// only when that changes. A holder proves that it lives by one Lease of its node's, however many keys it has. Times are
// those of this machine's own clock when it saw a change, as clocks of different machines differ.

/** A Lease (coordination.k8s.io/v1), as far as it matters here. */
export interface SeenLease {
  readonly name: string;
  /** "": nobody. */
  readonly holder: string;
  /** Changes whenever its holder renews it. */
  readonly renewed: string;
  /** metadata.resourceVersion: a write against another version is refused. */
  readonly version: string;
}

/** A write of one key's Lease; without `version` it does not exist yet. */
export interface LeaseWrite {
  readonly name: string;
  readonly holder: string;
  readonly version: string | undefined;
}

export interface Decision {
  /** The keys that this node has. */
  readonly own: ReadonlySet<string>;
  readonly writes: readonly LeaseWrite[];
  /** Whether this node must prove that it lives, before it writes. */
  readonly alive: boolean;
}

/** How long a holder may be silent: three of its renewals are missing. */
export const SILENCE_MS = 1_800;
/** Candidates try one after the other, so that the first usually succeeds alone. */
const STEP_MS = 200;
/** Nodes that try: the first of an order that is different for each key. */
const TRYING = 5;

export const nodeLease = (node: string): string => `node-${node}`;

export class Ownership {
  readonly #node: string;
  #leases: ReadonlyMap<string, SeenLease> = new Map();
  /** By node: its last renewal, and when that was first seen. */
  readonly #signs = new Map<string, { renewed: string; since: number }>();
  /** Since when a key has had no holder that lives. */
  readonly #vacant = new Map<string, number>();
  #isBlind = true;

  constructor(node: string) {
    this.#node = node;
  }

  /** The Leases now. */
  see(leases: readonly SeenLease[]): void {
    if (this.#isBlind) this.#signs.clear();
    this.#isBlind = false;
    this.#leases = new Map(leases.map((lease) => [lease.name, lease]));
  }

  /** The API server does not answer. Holders may be unable to renew, so nobody's silence counts until it does again. */
  blind(): void {
    this.#isBlind = true;
    this.#vacant.clear();
  }

  /** @param wanted the nodes that may have each key, in the order in which they try */
  decide(wanted: ReadonlyMap<string, readonly string[]>, now: number): Decision {
    const own = new Set<string>();
    const writes: LeaseWrite[] = [];
    for (const [name, { holder, version }] of this.#leases) {
      if (holder !== this.#node || name === nodeLease(this.#node)) continue;
      if (wanted.get(name)?.includes(this.#node)) own.add(name);
      else if (!this.#isBlind) writes.push({ name, holder: "", version });
    }
    for (const [name, candidates] of wanted) {
      const lease = this.#leases.get(name);
      if (own.has(name) || this.#isBlind) continue;
      if (lease && lease.holder !== "" && this.#lives(lease.holder, now)) {
        this.#vacant.delete(name);
        continue;
      }
      const since = this.#vacant.get(name) ?? now;
      this.#vacant.set(name, since);
      const rank = candidates.indexOf(this.#node);
      if (rank >= 0 && rank < TRYING && now - since >= rank * STEP_MS)
        writes.push({ name, holder: this.#node, version: lease?.version });
    }
    const takes = writes.some(({ holder }) => holder === this.#node);
    return { own, writes, alive: own.size > 0 || takes };
  }

  #lives(node: string, now: number): boolean {
    const renewed = this.#leases.get(nodeLease(node))?.renewed ?? "";
    const sign = this.#signs.get(node);
    if (sign?.renewed === renewed) return now - sign.since < SILENCE_MS;
    this.#signs.set(node, { renewed, since: now });
    return true;
  }
}
