import { type Address, type Family, familyOf } from "../../address/address.ts";
import { hash32 } from "../../hash.ts";
import type { Node, Service } from "../../objects/core.ts";
import { type EndpointSlice, serviceNameLabel } from "../../objects/discovery.ts";
import { objectName } from "../../objects/metadata.ts";
import { heldBy } from "./claimants.ts";
import { hasOwnBalancer } from "./class.ts";

/** Kubernetes' label of nodes that external load balancers do not use. */
const EXCLUDED = "node.kubernetes.io/exclude-from-external-load-balancers";

/** The nodes that may announce each load balancer address, in the order in which they try: different for each address, so that
 * addresses spread over the nodes. With externalTrafficPolicy Local only nodes that have a ready backend of its family.
 * @param isOwn whether a pool of this dataplane has the address */
export function announcersOf(
  services: readonly Service[],
  slices: readonly EndpointSlice[],
  nodes: readonly Node[],
  isOwn: (address: Address) => boolean,
): ReadonlyMap<Address, readonly string[]> {
  const able = nodes.filter(({ metadata }) => metadata.labels?.[EXCLUDED] === undefined && !metadata.deletionTimestamp);
  const names = able.map(({ metadata }) => metadata.name);
  const found = new Map<Address, readonly string[]>();
  for (const service of services.filter(hasOwnBalancer)) {
    const addresses = heldBy(service).filter(isOwn);
    if (addresses.length === 0) continue;
    const isLocal = service.spec.externalTrafficPolicy === "Local";
    for (const address of addresses.filter((one) => !found.has(one))) {
      const local = isLocal ? nodesWithBackends(service, slices, familyOf(address)) : undefined;
      found.set(address, inTurn(address, local ? names.filter((name) => local.has(name)) : names));
    }
  }
  return found;
}

/** The names in an order that depends on the key. */
export function inTurn(key: string, names: readonly string[]): readonly string[] {
  const weight = (name: string) => hash32(`${key} ${name}`);
  return names.toSorted((a, b) => weight(a) - weight(b) || (a < b ? -1 : 1));
}

function nodesWithBackends(
  service: Service,
  slices: readonly EndpointSlice[],
  family: Family | undefined,
): ReadonlySet<string> {
  const own = slices.filter(
    ({ metadata, addressType }) =>
      addressType === family && `${metadata.namespace}/${metadata.labels?.[serviceNameLabel]}` === objectName(service),
  );
  const ready = own.flatMap(({ endpoints }) => endpoints.filter(({ conditions }) => conditions?.ready ?? true));
  return new Set(ready.flatMap(({ nodeName }) => nodeName ?? []));
}
