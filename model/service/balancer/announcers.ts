import { type Address, canonicalAddress, type Family, familyOf } from "../../address/address.ts";
import { hash32 } from "../../hash.ts";
import { Memo } from "../../memo.ts";
import type { Node, Service } from "../../objects/core.ts";
import { type EndpointSlice, serviceNameLabel } from "../../objects/discovery.ts";
import { objectName } from "../../objects/metadata.ts";
import { announcing, type EndpointNodes } from "../announcing.ts";
import { conditionsOf } from "../backends.ts";
import { heldBy } from "./claimants.ts";
import { hasOwnBalancer } from "./class.ts";

/** The nodes that may announce each load balancer address, in the order in which they try: different for each address, so that
 * addresses spread over the nodes; nodes that are not ready last.
 * @param isOwn whether a pool of this dataplane has the address
 * @param nodeOf the node of an endpoint's address, and the one that its slice names */
export function announcersOf(
  services: readonly Service[],
  slices: readonly EndpointSlice[],
  nodes: readonly Node[],
  isOwn: (address: Address) => boolean,
  nodeOf: NodeOfEndpoint,
): ReadonlyMap<Address, readonly string[]> {
  const unready = new Set(nodes.filter(({ status }) => !status.isReady).map(({ metadata }) => metadata.name));
  const everywhere = namesOf(announcing(nodes));
  const found = new Map<Address, readonly string[]>();
  for (const service of services.filter(hasOwnBalancer)) {
    for (const address of heldBy(service).filter((one) => isOwn(one) && !found.has(one))) {
      const isLocal = service.spec.externalTrafficPolicy === "Local";
      const endpoints = isLocal ? nodesWithEndpoints(service, slices, familyOf(address), nodeOf) : undefined;
      const order = inTurn(address, endpoints ? namesOf(announcing(nodes, endpoints)) : everywhere);
      found.set(address, [...order.filter((name) => !unready.has(name)), ...order.filter((name) => unready.has(name))]);
    }
  }
  return found;
}

export type NodeOfEndpoint = (address: Address, named: string | undefined) => string | undefined;

const namesOf = (nodes: readonly Node[]): readonly string[] => nodes.map(({ metadata }) => metadata.name);

/** The names in an order that depends on the key. */
export function inTurn(key: string, names: readonly string[]): readonly string[] {
  const weight = (name: string) => hash32(`${key} ${name}`);
  return names.toSorted((a, b) => weight(a) - weight(b) || (a < b ? -1 : 1));
}

/** A list is asked for every Service with a load balancer's address. */
const grouped = new Memo<readonly EndpointSlice[], ReadonlyMap<string, readonly EndpointSlice[]>>();

const serviceNameOf = ({ metadata }: EndpointSlice): string =>
  `${metadata.namespace}/${metadata.labels?.[serviceNameLabel]}`;

function nodesWithEndpoints(
  service: Service,
  slices: readonly EndpointSlice[],
  family: Family | undefined,
  nodeOf: NodeOfEndpoint,
): EndpointNodes {
  const byService = grouped.get(slices, [], () => Map.groupBy(slices, serviceNameOf));
  const own = byService.get(objectName(service))?.filter(({ addressType }) => addressType === family) ?? [];
  const found = { ready: new Set<string>(), draining: new Set<string>() };
  for (const endpoint of own.flatMap(({ endpoints }) => endpoints)) {
    const { ready, servingTerminating } = conditionsOf(endpoint, service.spec.publishNotReadyAddresses === true);
    const address = canonicalAddress(endpoint.addresses[0] ?? "");
    const name = address && nodeOf(address, endpoint.nodeName ?? undefined);
    if (name !== undefined && (ready || servingTerminating)) (ready ? found.ready : found.draining).add(name);
  }
  return found;
}
