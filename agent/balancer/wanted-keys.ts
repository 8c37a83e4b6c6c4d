import { type Address, addressBytes, contains, familyOf } from "../../model/address/address.ts";
import { Latest } from "../../model/memo.ts";
import type { NodeFacts } from "../../model/node/facts.ts";
import { type NodeDirectory, nodeDirectory } from "../../model/node/nodes.ts";
import type { IpPool } from "../../model/objects/calico.ts";
import { type Judged, judgePools } from "../../model/pool/claims.ts";
import { loadBalancerPools } from "../../model/pool/uses.ts";
import { Announcers, inTurn } from "../../model/service/balancer/announcers.ts";
import type { SnapshotStore } from "../watch/snapshot-store.ts";
import { ASSIGNING, OF_ADDRESS } from "./ownership.ts";

/** What the cluster's objects ask of the load balancer. */
export interface Wanted {
  /** The nodes that may have each key, in the order in which they try. */
  readonly keys: ReadonlyMap<string, readonly string[]>;
  /** By key. */
  readonly addresses: ReadonlyMap<string, Address>;
  readonly pools: Judged<IpPool>;
  readonly nodes: NodeDirectory;
}

export class WantedKeys {
  readonly #store: Pick<SnapshotStore, "list">;
  readonly #wanted = new Latest<Wanted>();
  readonly #announcers = new Announcers();
  readonly #pools = new Latest<Judged<IpPool>>();
  readonly #isOwn = new Latest<(address: Address) => boolean>();
  readonly #nodes = new Latest<NodeDirectory>();
  #leases: ReadonlyMap<Address, string> = new Map();

  constructor(store: Pick<SnapshotStore, "list">) {
    this.#store = store;
  }

  /** @returns the same object until something on which it depends changes */
  now(facts: NodeFacts): Wanted {
    const kinds = ["services", "endpointSlices", "nodes", "ipPools", "ipReservations"] as const;
    const pods = this.#announcers.asksPods && this.#store.list("pods");
    const inputs = [facts, pods, ...kinds.map((kind) => this.#store.list(kind))];
    return this.#wanted.get(inputs, () => this.#wantedOf(facts));
  }

  #wantedOf(facts: NodeFacts): Wanted {
    const [nodeObjects, ipPools] = [this.#store.list("nodes"), this.#store.list("ipPools")];
    const nodes = this.#nodes.get([nodeObjects, facts], () => nodeDirectory(nodeObjects, facts));
    const pools = this.#pools.get([ipPools, facts], () => judgePools(ipPools, facts));
    const own = loadBalancerPools(pools);
    const isOwn = this.#isOwn.get([pools], () => (address: Address) => own.some(({ cidr }) => contains(cidr, address)));
    const list = { services: this.#store.list("services"), endpointSlices: this.#store.list("endpointSlices") };
    const objects = { ...list, nodes: nodeObjects, pods: this.#store.list("pods") };
    const announcers = this.#announcers.of(objects, nodes, isOwn);
    const before = this.#leases;
    this.#leases = new Map([...announcers.keys()].map((address) => [address, before.get(address) ?? leaseOf(address)]));
    const keys = new Map<string, readonly string[]>();
    const addresses = new Map<string, Address>();
    for (const [address, lease] of this.#leases) {
      keys.set(lease, announcers.get(address) ?? []);
      addresses.set(lease, address);
    }
    const names = nodeObjects.map(({ metadata }) => metadata.name);
    if (own.length > 0) keys.set(ASSIGNING, inTurn(ASSIGNING, names));
    return { keys, addresses, pools, nodes };
  }
}

/** "address-192-0-2-1", "address-2001-db8-0-0-0-0-0-1": the name of an object begins and ends with a letter or digit, so no zero is left
 * out. */
export function leaseOf(address: Address): string {
  const bytes = addressBytes(address);
  const groups = Array.from({ length: 8 }, (_, at) =>
    (((bytes[at * 2] ?? 0) << 8) | (bytes[at * 2 + 1] ?? 0)).toString(16),
  );
  return OF_ADDRESS + (familyOf(address) === "IPv6" ? groups.join("-") : address.replaceAll(".", "-"));
}
