// Which node has which key: a load balancer's address, or the task of assigning addresses. A key's Lease names its holder and is written
// only when that changes. A holder proves that it lives by one Lease of its node's, however many keys it has. Times are
// those of this machine's own clock when it saw a change, as clocks of different machines differ.

/** A Lease (coordination.k8s.io/v1): the fields that count here. */
export interface SeenLease {
  readonly name: string;
  /** "": no holder. */
  readonly holder: string;
  /** Changes whenever its holder renews it. */
  readonly renewed: string;
  /** metadata.resourceVersion: a write against another version is refused. */
  readonly version: string;
}

/** A write of one key's Lease; without `version` it does not exist yet. */
export interface LeaseWrite {
  readonly name: string;
  /** undefined: the Lease is deleted. */
  readonly holder: string | undefined;
  readonly version: string | undefined;
  /** The holder from which the key is taken, because its node is silent. */
  readonly silent?: string;
}

export interface Decision {
  /** The keys that this node has. */
  readonly own: ReadonlySet<string>;
  readonly writes: readonly LeaseWrite[];
  /** Whether this node must renew its own Lease before it writes. */
  readonly alive: boolean;
}

/** How often a holder renews its node's Lease, at the latest; at the earliest after four fifths of it, so that nodes spread. */
export const RENEW_MS = 1_000;
/** How long a holder may be silent. One renewal may be lost, whose answer was awaited for RENEW_MS, and the next one still counts.
 * Including the ticks, one read and one write, another node announces the addresses at most 2.6 s after the holder's node has ended, if
 * the API server answers within 100 ms. */
export const SILENCE_MS = 2_200;
/** Candidates try one after the other, so that usually the first one succeeds without competition. */
const STEP_MS = 200;

const OF_NODE = "node-";
export const OF_ADDRESS = "address-";
/** The task of assigning addresses, as a key. Its holder also deletes Leases that no node needs. */
export const ASSIGNING = "assigning-addresses";

export const nodeLease = (node: string): string => OF_NODE + node;

export class Ownership {
  readonly #node: string;
  #leases = new Map<string, SeenLease>();
  /** By node: its last renewal, and when that was first seen. */
  readonly #signs = new Map<string, { renewed: string; since: number }>();
  /** Since when a key has had no living holder. */
  readonly #vacant = new Map<string, number>();
  #isBlind = true;

  constructor(node: string) {
    this.#node = node;
  }

  get isBlind(): boolean {
    return this.#isBlind;
  }

  lease(name: string): SeenLease | undefined {
    return this.#leases.get(name);
  }

  /** The keys whose Leases name this node. */
  held(): readonly SeenLease[] {
    return [...this.#leases.values()].filter(({ name, holder }) => holder === this.#node && !name.startsWith(OF_NODE));
  }

  isAnothers(name: string): boolean {
    return !["", this.#node].includes(this.#leases.get(name)?.holder ?? "");
  }

  /** All Leases now. */
  see(leases: readonly SeenLease[], now: number): void {
    if (this.#isBlind) this.#signs.clear();
    this.#isBlind = false;
    this.#leases = new Map(leases.map((lease) => [lease.name, lease]));
    for (const lease of leases) this.#note(lease, now);
  }

  /** One Lease, as a watch or a write reports it: the later version counts. */
  seeOne(lease: SeenLease, now: number): void {
    const known = this.#leases.get(lease.name);
    if (known && isLater(known.version, lease.version)) return;
    this.#leases.set(lease.name, lease);
    this.#note(lease, now);
  }

  gone(name: string, version?: string): void {
    const known = this.#leases.get(name);
    if (!known || (version !== undefined && isLater(known.version, version))) return;
    this.#leases.delete(name);
  }

  /** The API server does not answer, so holders may be unable to renew. No holder counts as silent until it answers again. */
  blind(): void {
    this.#isBlind = true;
    this.#vacant.clear();
  }

  /** @param wanted the nodes that may have each key, in the order in which they try */
  decide(wanted: ReadonlyMap<string, readonly string[]>, now: number): Decision {
    const own = new Set<string>();
    const writes: LeaseWrite[] = [];
    for (const [name, { holder, version }] of this.#leases) {
      if (name.startsWith(OF_NODE)) continue;
      if (holder !== this.#node) writes.push(...this.#tidied(name, wanted, now));
      else if (wanted.get(name)?.includes(this.#node)) own.add(name);
      else if (!this.#isBlind) writes.push({ name, holder: wanted.has(name) ? "" : undefined, version });
    }
    for (const [name, candidates] of wanted) {
      if (own.has(name) || this.#isBlind) continue;
      const { holder = "", version } = this.#leases.get(name) ?? {};
      if (holder !== "" && this.#lives(holder, now)) {
        this.#vacant.delete(name);
        continue;
      }
      const since = this.#vacant.get(name) ?? now;
      this.#vacant.set(name, since);
      const rank = candidates.filter((one) => one !== holder).indexOf(this.#node);
      if (rank >= 0 && now - since >= rank * STEP_MS) writes.push(this.#take(name, holder, version));
    }
    for (const name of this.#vacant.keys()) if (!wanted.has(name)) this.#vacant.delete(name);
    return { own, writes, alive: own.size > 0 || writes.some(({ holder }) => holder === this.#node) };
  }

  #take(name: string, holder: string, version: string | undefined): LeaseWrite {
    return { name, holder: this.#node, version, ...(holder !== "" && { silent: holder }) };
  }

  /** The holder of a released address deletes its Lease. If no living node holds the Lease, the node that assigns addresses deletes it.
   * That node takes the Lease first, because a node may only delete its own. */
  #tidied(name: string, wanted: ReadonlyMap<string, readonly string[]>, now: number): LeaseWrite[] {
    const isTidy = this.#leases.get(ASSIGNING)?.holder === this.#node;
    if (this.#isBlind || !isTidy || wanted.has(name) || !name.startsWith(OF_ADDRESS)) return [];
    const { holder = "", version } = this.#leases.get(name) ?? {};
    if (holder === "") return [{ name, holder: undefined, version }];
    return this.#lives(holder, now) ? [] : [this.#take(name, holder, version)];
  }

  #note({ name, renewed }: SeenLease, now: number): void {
    if (!name.startsWith(OF_NODE)) return;
    const node = name.slice(OF_NODE.length);
    if (this.#signs.get(node)?.renewed !== renewed) this.#signs.set(node, { renewed, since: now });
  }

  #lives(node: string, now: number): boolean {
    const sign = this.#signs.get(node) ?? { renewed: "", since: now };
    this.#signs.set(node, sign);
    return now - sign.since < SILENCE_MS;
  }
}

/** Resource versions are growing numbers (KEP-5504). A version that is no number is accepted as the latest. */
function isLater(one: string, other: string): boolean {
  const numbers = /^\d+$/;
  return numbers.test(one) && numbers.test(other) && BigInt(one) > BigInt(other);
}
