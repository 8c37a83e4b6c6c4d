import { type Address, addressBytes, covers, familyOf, hostCidr } from "../../model/address/address.ts";
import { Latest } from "../../model/memo.ts";
import type { NodeFacts } from "../../model/node/facts.ts";
import { type NodeDirectory, nodeDirectory } from "../../model/node/nodes.ts";
import type { IpPool } from "../../model/objects/calico.ts";
import { type Judged, judgePools } from "../../model/pool/claims.ts";
import { loadBalancerPools } from "../../model/pool/uses.ts";
import { announcersOf, inTurn, type NodeOfEndpoint } from "../../model/service/balancer/announcers.ts";
import { nodesOfPods } from "../../model/service/services.ts";
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
  readonly #podNodes = new Latest<ReadonlyMap<string, string>>();
  /** Whether a slice does not name the node of an endpoint. */
  #asksPods = false;

  constructor(store: Pick<SnapshotStore, "list">) {
    this.#store = store;
  }

  /** @returns the same object until something on which it depends changes */
  now(facts: NodeFacts): Wanted {
    const kinds = ["services", "endpointSlices", "nodes", "ipPools", "ipReservations"] as const;
    const pods = () => this.#store.list("pods");
    const inputs = [facts, this.#asksPods && pods(), ...kinds.map((kind) => this.#store.list(kind))];
    return this.#wanted.get(inputs, () => {
      this.#asksPods = false;
      return wantedOf(this.#store, facts, (address) => {
        this.#asksPods = true;
        return this.#podNodes.get([pods()], () => nodesOfPods(pods())).get(address);
      });
    });
  }
}

function wantedOf(
  store: Pick<SnapshotStore, "list">,
  facts: NodeFacts,
  podNode: (address: Address) => string | undefined,
): Wanted {
  const nodes = store.list("nodes");
  const directory = nodeDirectory(nodes, facts);
  const pools = judgePools(store.list("ipPools"), facts);
  const own = loadBalancerPools(pools);
  const isOwn = (address: Address) => own.some(({ cidr }) => covers(cidr, hostCidr(address)));
  const nodeOf: NodeOfEndpoint = (address, named) => directory.nodeOf(address) ?? named ?? podNode(address);
  const announcers = announcersOf(store.list("services"), store.list("endpointSlices"), nodes, isOwn, nodeOf);
  const keys = new Map([...announcers].map(([address, names]) => [leaseOf(address), names]));
  const names = nodes.map(({ metadata }) => metadata.name);
  if (own.length > 0) keys.set(ASSIGNING, inTurn(ASSIGNING, names));
  const addresses = new Map([...announcers.keys()].map((address) => [leaseOf(address), address]));
  return { keys, addresses, pools, nodes: directory };
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
