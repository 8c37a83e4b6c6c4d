import { type Address, addressAt, type Cidr, contains, hostCidr, sizeOf } from "../../address/address.ts";
import type { Reserved } from "../../pool/reserved.ts";

/** An IP pool that load balancer addresses come from. */
export interface AddressPool {
  readonly name: string;
  readonly cidr: Cidr;
  /** It keeps the addresses that it gave and gives no new ones. */
  readonly disabled: boolean;
}

/** A Service that asks for load balancer addresses. */
export interface Claimant {
  /** "default/web" */
  readonly name: string;
  /** Sorts older Services first (objects/age.ts). */
  readonly age: string;
  /** What it asks for; undefined: any address. */
  readonly request: { readonly addresses: readonly Address[]; readonly path: string } | undefined;
  /** Services of one key may have one address. Keys of different namespaces are different. */
  readonly sharing: string | undefined;
  /** "80/TCP" */
  readonly ports: readonly string[];
  /** externalTrafficPolicy: Local. */
  readonly local: boolean;
  /** What its status has. */
  readonly held: readonly Address[];
  /** It keeps what it has and gets nothing else. */
  readonly isFixed?: boolean;
}

/** Why a Service does not get what it asks for. */
export interface Denial {
  readonly path: string;
  readonly reason: string;
}

export interface Assignment {
  /** Empty: none. */
  readonly addresses: readonly Address[];
  readonly denial?: Denial | undefined;
}

/** Addresses of pools that Services do not have. */
export interface NotGiven {
  /** To no Service, such as nodes'. */
  readonly reserved: ReadonlySet<Address>;
  /** To none that does not ask for this very address. */
  readonly kept: Reserved;
}

/** How often requests are looked at again because another one that was met has left an address. The rest is done when the statuses are written. */
const AGAIN = 3;

/** Gives every Service its load balancer addresses. The status is the memory: what a Service has, it keeps as long as a pool has the
 * address and it gets nothing else that it asks for. Then come those that ask for certain addresses, then the others; the older first. */
export function assignAddresses(
  claimants: readonly Claimant[],
  pools: readonly AddressPool[],
  notGiven: NotGiven,
): ReadonlyMap<string, Assignment> {
  const sorted = claimants.toSorted((a, b) => (a.age < b.age ? -1 : a.age > b.age ? 1 : 0));
  const moving = sorted.filter((one) => one.held.some((address) => !isWanted(one, address)));
  // First as if each got what it asks for, so that two can exchange theirs. Whoever does not get it keeps what it has.
  let staying: ReadonlySet<Claimant> = new Set();
  for (let times = 0; ; times++) {
    const result = assignedOnce(sorted, staying, new Given(pools, notGiven));
    const denied = moving.filter((one) => result.get(one.name)?.denial && !staying.has(one));
    if (denied.length === 0) return result;
    staying = times < AGAIN ? new Set([...staying, ...denied]) : new Set(moving);
  }
}

function assignedOnce(
  sorted: readonly Claimant[],
  staying: ReadonlySet<Claimant>,
  given: Given,
): ReadonlyMap<string, Assignment> {
  const result = new Map<string, Assignment>();
  for (const claimant of sorted) {
    const kept = claimant.held.filter(
      (address) =>
        (isWanted(claimant, address) || staying.has(claimant)) && given.refusal(claimant, address) === undefined,
    );
    // One address, unless several are asked for.
    const addresses = claimant.request || claimant.isFixed ? kept : kept.slice(0, 1);
    for (const address of addresses) given.give(claimant, address);
    result.set(claimant.name, { addresses });
  }
  let unmet = sorted.filter(({ request }) => request);
  for (let times = 0, before = 0; times < AGAIN && unmet.length !== before; times++) {
    before = unmet.length;
    for (const claimant of unmet) result.set(claimant.name, given.requested(claimant));
    unmet = unmet.filter(({ name }) => result.get(name)?.denial);
  }
  const isWithout = ({ name, request, isFixed }: Claimant) =>
    !request && !isFixed && result.get(name)?.addresses.length === 0;
  for (const claimant of sorted.filter(isWithout)) result.set(claimant.name, given.any(claimant));
  return result;
}

const isWanted = ({ request }: Claimant, address: Address) => !request || request.addresses.includes(address);

/** Who has which address. */
class Given {
  readonly #pools: readonly AddressPool[];
  readonly #reserved: ReadonlySet<Address>;
  readonly #kept: Reserved;
  readonly #holders = new Map<Address, Claimant[]>();
  // Where the search for a free address of a pool continues: everything before is taken.
  readonly #next = new Map<AddressPool, bigint>();

  constructor(pools: readonly AddressPool[], { reserved, kept }: NotGiven) {
    this.#pools = pools.toSorted((a, b) => (a.name < b.name ? -1 : 1));
    this.#reserved = reserved;
    this.#kept = kept;
  }

  give(claimant: Claimant, address: Address): void {
    const holders = this.#holders.get(address);
    if (holders) holders.push(claimant);
    else this.#holders.set(address, [claimant]);
  }

  /** Why the claimant cannot have the address; undefined: it can. */
  refusal(claimant: Claimant, address: Address): string | undefined {
    if (!this.#pools.some(({ cidr }) => contains(cidr, address)))
      return "is in no IPPool with allowedUses: [LoadBalancer]";
    if (this.#reserved.has(address)) return "is a node's address, or one that no host can have";
    for (const holder of this.#holders.get(address) ?? []) {
      if (holder === claimant) continue;
      const reason = notShared(claimant, holder);
      if (reason) return `belongs to Service ${holder.name}, ${reason}`;
    }
    return undefined;
  }

  /** All that it asks for, or nothing new: half of an answer would look like a whole one. */
  requested(claimant: Claimant): Assignment {
    const { addresses = [], path = "" } = claimant.request ?? {};
    const kept = claimant.held.filter((address) => this.#holders.get(address)?.includes(claimant));
    for (const address of addresses) {
      const reason = kept.includes(address) ? undefined : this.refusal(claimant, address);
      if (reason) return { addresses: kept, denial: { path, reason: `${address} ${reason}` } };
    }
    for (const address of addresses) if (!kept.includes(address)) this.give(claimant, address);
    for (const address of kept) if (!addresses.includes(address)) this.#release(claimant, address);
    return { addresses };
  }

  #release(claimant: Claimant, address: Address): void {
    const others = this.#holders.get(address)?.filter((holder) => holder !== claimant) ?? [];
    if (others.length > 0) this.#holders.set(address, others);
    else this.#holders.delete(address);
  }

  any(claimant: Claimant): Assignment {
    const address = this.#shared(claimant) ?? this.#firstFree();
    if (address === undefined) return { addresses: [], denial: { path: "spec.type", reason: this.#exhausted() } };
    this.give(claimant, address);
    return { addresses: [address] };
  }

  #shared(claimant: Claimant): Address | undefined {
    if (claimant.sharing === undefined) return undefined;
    return [...this.#holders.keys()].find((address) => this.refusal(claimant, address) === undefined);
  }

  #firstFree(): Address | undefined {
    for (const pool of this.#pools.filter(({ disabled }) => !disabled)) {
      const size = sizeOf(pool.cidr);
      for (let index = this.#next.get(pool) ?? 0n; index < size; ) {
        const address = addressAt(pool.cidr, index);
        const kept = this.#kept.around(hostCidr(address));
        index = kept ? kept.value + sizeOf(kept) - pool.cidr.value : index + 1n;
        this.#next.set(pool, index);
        if (!kept && !this.#holders.has(address) && !this.#reserved.has(address)) return address;
      }
    }
    return undefined;
  }

  #exhausted(): string {
    const enabled = this.#pools.filter(({ disabled }) => !disabled);
    if (enabled.length === 0) return "no enabled IPPool has allowedUses: [LoadBalancer]";
    return `every address of ${enabled.map(({ name, cidr }) => `IPPool ${name} (${cidr.text})`).join(", ")} is in use or reserved`;
  }
}

/** Why two Services cannot have one address; undefined: they can. */
function notShared(one: Claimant, other: Claimant): string | undefined {
  if (one.sharing === undefined || one.sharing !== other.sharing) return "which does not share it with this one";
  const port = one.ports.find((item) => other.ports.includes(item));
  if (port) return `which has its port ${port}`;
  // The address is on one node: the one that has backends of the one may have none of the other.
  return one.local || other.local
    ? "and only Services with externalTrafficPolicy: Cluster share an address"
    : undefined;
}
