import { type Address, type Family, familyOf } from "../../address/address.ts";
import { hash32 } from "../../hash.ts";
import { isLeaving, type Node, type Service } from "../../objects/core.ts";
import { type EndpointSlice, serviceNameLabel } from "../../objects/discovery.ts";
import { objectName } from "../../objects/metadata.ts";
import { heldBy } from "./claimants.ts";
import { hasOwnBalancer } from "./class.ts";

/** Kubernetes' label of nodes that external load balancers do not use. */
const EXCLUDED = "node.kubernetes.io/exclude-from-external-load-balancers";

/** The nodes that may announce each load balancer address, in the order in which they try: different for each address, so that
 * addresses spread over the nodes; nodes that are not ready last. With externalTrafficPolicy Local only nodes that have a ready backend of its family.
 * @param isOwn whether a pool of this dataplane has the address */
export function announcersOf(
  services: readonly Service[],
  slices: readonly EndpointSlice[],
  nodes: readonly Node[],
  isOwn: (address: Address) => boolean,
): ReadonlyMap<Address, readonly string[]> {
  const able = nodes.filter((node) => node.metadata.labels?.[EXCLUDED] === undefined && !isLeaving(node));
  const unready = new Set(able.filter(({ status }) => !status.isReady).map(({ metadata }) => metadata.name));
  const found = new Map<Address, readonly string[]>();
  for (const service of services.filter(hasOwnBalancer)) {
    const addresses = heldBy(service).filter(isOwn);
    if (addresses.length === 0) continue;
    const isLocal = service.spec.externalTrafficPolicy === "Local";
    for (const address of addresses.filter((one) => !found.has(one))) {
      const local = isLocal ? nodesWithBackends(service, slices, familyOf(address)) : undefined;
      const fitting = local ? able.filter(({ metadata }) => local.has(metadata.name)) : able;
      // A drained node hands over at once; where there is no other, it keeps the address.
      const staying = fitting.filter(({ spec }) => !spec.isCordoned);
      const names = (staying.length > 0 ? staying : fitting).map(({ metadata }) => metadata.name);
      const order = inTurn(address, names);
      found.set(address, [...order.filter((name) => !unready.has(name)), ...order.filter((name) => unready.has(name))]);
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
