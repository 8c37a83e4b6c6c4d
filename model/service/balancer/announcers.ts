import { type Address, canonicalAddress, type Family, familyOf } from "../../address/address.ts";
import { hash32 } from "../../hash.ts";
import { Latest, Memo } from "../../memo.ts";
import type { NodeDirectory } from "../../node/nodes.ts";
import type { Node, Pod, Service } from "../../objects/core.ts";
import type { EndpointSlice } from "../../objects/discovery.ts";
import { objectName } from "../../objects/metadata.ts";
import { announcing, type EndpointNodes, nodesWith } from "../announcing.ts";
import { conditionsOf } from "../backends.ts";
import { nodesOfPods } from "../services.ts";
import { SliceGroups } from "../slice-groups.ts";
import { heldBy } from "./claimants.ts";
import { hasOwnBalancer } from "./class.ts";

/** What the nodes of addresses depend on. */
export interface AnnouncerObjects {
  readonly services: readonly Service[];
  readonly endpointSlices: readonly EndpointSlice[];
  readonly nodes: readonly Node[];
  readonly pods: readonly Pod[];
}

/** An address of a Service, and the names of its nodes. */
type Order = readonly [Address, readonly string[]];

/** The nodes that may announce each load balancer address. What a change does not concern costs a lookup. */
export class Announcers {
  readonly #slices = new SliceGroups();
  readonly #orders = new Memo<Service, readonly Order[]>();
  readonly #names = new Latest<readonly string[]>();
  readonly #unready = new Latest<ReadonlySet<string>>();
  readonly #podNodes = new Latest<ReadonlyMap<string, string>>();
  readonly #nameless = new Memo<EndpointSlice, boolean>();
  /** Whether the last answer depends on pods: a slice does not name the node of an endpoint. */
  asksPods = false;

  /** In the order in which they try: different for each address, so that addresses spread over the nodes; nodes that are not ready last.
   * @param isOwn whether a pool of this dataplane has the address; another function for other pools */
  of(
    { services, endpointSlices, nodes, pods }: AnnouncerObjects,
    directory: NodeDirectory,
    isOwn: (address: Address) => boolean,
  ): ReadonlyMap<Address, readonly string[]> {
    this.#slices.update(endpointSlices);
    this.asksPods = false;
    const everywhere = this.#names.get([nodes], () => namesOf(announcing(nodes)));
    const unready = this.#unready.get([nodes], () => new Set(namesOf(nodes.filter(({ status }) => !status.isReady))));
    const found = new Map<Address, readonly string[]>();
    for (const service of services.filter(hasOwnBalancer)) {
      const isLocal = service.spec.externalTrafficPolicy === "Local";
      const slices = isLocal ? this.#slices.of(objectName(service)) : NONE;
      const asks = slices.some((slice) => this.#nameless.get(slice, [], () => hasNameless(slice)));
      this.asksPods ||= asks;
      const podNodes = asks ? this.#podNodes.get([pods], () => nodesOfPods(pods)) : undefined;
      const orders = this.#orders.get(service, [nodes, directory, isOwn, slices, podNodes], () => {
        const publishNotReady = service.spec.publishNotReadyAddresses === true;
        const nodeOf: NodeOf = (address, named) => directory.nodeOf(address) ?? named ?? podNodes?.get(address);
        const namesFor = (address: Address) =>
          isLocal
            ? namesOf(announcing(nodes, nodesWithEndpoints(slices, familyOf(address), publishNotReady, nodeOf)))
            : everywhere;
        return heldBy(service)
          .filter(isOwn)
          .map((address): Order => [address, readyFirst(inTurn(address, namesFor(address)), unready)]);
      });
      for (const [address, names] of orders) if (!found.has(address)) found.set(address, names);
    }
    return found;
  }
}

const NONE: readonly EndpointSlice[] = [];

const namesOf = (nodes: readonly Node[]): readonly string[] => nodes.map(({ metadata }) => metadata.name);

const hasNameless = ({ endpoints }: EndpointSlice): boolean => endpoints.some(({ nodeName }) => !nodeName);

function readyFirst(names: readonly string[], unready: ReadonlySet<string>): readonly string[] {
  if (unready.size === 0) return names;
  return [...names.filter((name) => !unready.has(name)), ...names.filter((name) => unready.has(name))];
}

/** The names in an order that depends on the key. */
export function inTurn(key: string, names: readonly string[]): readonly string[] {
  return names
    .map((name) => ({ name, weight: hash32(`${key} ${name}`) }))
    .sort((a, b) => a.weight - b.weight || (a.name < b.name ? -1 : 1))
    .map(({ name }) => name);
}

type NodeOf = (address: Address, named: string | undefined) => string | undefined;

/** As the backends are placed (backends.ts). */
function nodesWithEndpoints(
  slices: readonly EndpointSlice[],
  family: Family | undefined,
  publishNotReady: boolean,
  nodeOf: NodeOf,
): EndpointNodes {
  const own = slices.filter(({ addressType }) => addressType === family);
  const endpoints = own.flatMap((slice) => slice.endpoints);
  return nodesWith(
    endpoints.map((endpoint) => {
      const address = canonicalAddress(endpoint.addresses[0] ?? "");
      const node = address === undefined ? undefined : nodeOf(address, endpoint.nodeName ?? undefined);
      return { ...conditionsOf(endpoint, publishNotReady), node };
    }),
  );
}
