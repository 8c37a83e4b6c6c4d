import { type Address, addressBytes, covers, familyOf, hostCidr, parseCidr } from "../../model/address/address.ts";
import { Latest } from "../../model/memo.ts";
import type { NodeFacts } from "../../model/node/facts.ts";
import { type NodeDirectory, nodeDirectory } from "../../model/node/nodes.ts";
import type { IpPool } from "../../model/objects/calico.ts";
import { type Judged, judgePools } from "../../model/pool/claims.ts";
import { loadBalancerPools } from "../../model/pool/uses.ts";
import type { Problem } from "../../model/problem.ts";
import { announcersOf, inTurn, unannounced } from "../../model/service/balancer/announcers.ts";
import type { SnapshotStore } from "../watch/snapshot-store.ts";
import { ASSIGNING, OF_ADDRESS } from "./ownership.ts";

/** What the cluster's objects ask of the load balancer. */
export interface Wanted {
  /** The nodes that may have each key, in the order in which they try. */
  readonly keys: ReadonlyMap<string, readonly string[]>;
  /** By key. */
  readonly addresses: ReadonlyMap<string, Address>;
  readonly pools: Judged<IpPool>;
  /** Of Services whose addresses no node announces. */
  readonly problems: readonly Problem[];
  readonly nodes: NodeDirectory;
}

export class WantedKeys {
  readonly #store: Pick<SnapshotStore, "list">;
  readonly #wanted = new Latest<Wanted>();

  constructor(store: Pick<SnapshotStore, "list">) {
    this.#store = store;
  }

  /** @returns the same object until something on which it depends changes */
  now(facts: NodeFacts): Wanted {
    const kinds = ["services", "endpointSlices", "nodes", "ipPools", "ipReservations"] as const;
    const inputs = [facts, ...kinds.map((kind) => this.#store.list(kind))];
    return this.#wanted.get(inputs, () => wantedOf(this.#store, facts));
  }
}

function wantedOf(store: Pick<SnapshotStore, "list">, facts: NodeFacts): Wanted {
  const nodes = store.list("nodes");
  const pools = judgePools(store.list("ipPools"), facts);
  const own = loadBalancerPools(pools);
  const isOwn = (address: Address) => own.some(({ cidr }) => covers(cidr, hostCidr(address)));
  const [services, slices] = [store.list("services"), store.list("endpointSlices")] as const;
  const announcers = announcersOf(services, slices, nodes, isOwn);
  // Other addresses are not asked for by ARP or neighbor discovery: routers have routes to them.
  const onLinks = facts.subnets.flatMap((subnet) => parseCidr(subnet) ?? []);
  const isOnLink = (address: Address) => isOwn(address) && onLinks.some((link) => covers(link, hostCidr(address)));
  const keys = new Map([...announcers].map(([address, names]) => [leaseOf(address), names]));
  const names = nodes.map(({ metadata }) => metadata.name);
  if (own.length > 0) keys.set(ASSIGNING, inTurn(ASSIGNING, names));
  const addresses = new Map([...announcers.keys()].map((address) => [leaseOf(address), address]));
  const problems = unannounced(services, slices, nodes, isOnLink);
  return { keys, addresses, pools, problems, nodes: nodeDirectory(nodes, facts) };
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
