import { type Address, type Family, familyOf } from "../../address/address.ts";
import { firstFew } from "../../first-few.ts";
import { hash32 } from "../../hash.ts";
import { Memo } from "../../memo.ts";
import { isLeaving, type Node, type Service } from "../../objects/core.ts";
import { type EndpointSlice, serviceNameLabel } from "../../objects/discovery.ts";
import { objectName } from "../../objects/metadata.ts";
import type { Problem } from "../../problem.ts";
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
  const able = nodes.filter((node) => !isExcluded(node) && !isLeaving(node));
  const unready = new Set(able.filter(({ status }) => !status.isReady).map(({ metadata }) => metadata.name));
  const found = new Map<Address, readonly string[]>();
  for (const service of services.filter(hasOwnBalancer)) {
    const addresses = heldBy(service).filter(isOwn);
    if (addresses.length === 0) continue;
    for (const address of addresses.filter((one) => !found.has(one))) {
      const fitting = fittingNodes(service, slices, able, address);
      // A drained node hands over at once; where there is no other, it keeps the address.
      const staying = fitting.filter(({ spec }) => !spec.isCordoned);
      const names = (staying.length > 0 ? staying : fitting).map(({ metadata }) => metadata.name);
      const order = inTurn(address, names);
      found.set(address, [...order.filter((name) => !unready.has(name)), ...order.filter((name) => unready.has(name))]);
    }
  }
  return found;
}

/** The Services with an address that no node announces, because all that could are excluded. Without a ready backend, silence is what
 * externalTrafficPolicy Local means. */
export function unannounced(
  services: readonly Service[],
  slices: readonly EndpointSlice[],
  nodes: readonly Node[],
  isOwn: (address: Address) => boolean,
): readonly Problem[] {
  if (!nodes.some(isExcluded)) return [];
  const staying = nodes.filter((node) => !isLeaving(node));
  return services.filter(hasOwnBalancer).flatMap((service) => {
    const { namespace, name } = service.metadata;
    return heldBy(service)
      .filter(isOwn)
      .flatMap((address) => {
        const fitting = fittingNodes(service, slices, staying, address);
        if (fitting.length === 0 || !fitting.every(isExcluded)) return [];
        const names = firstFew(fitting.map(({ metadata }) => metadata.name));
        const where =
          service.spec.externalTrafficPolicy === "Local" ? "the nodes with its ready endpoints" : "the nodes";
        const message = `no node announces ${address}: ${where} (${names}) have the label ${EXCLUDED}, as kubeadm gives it to control planes. Next: kubectl label node NAME ${EXCLUDED}-, or let its pods run on other nodes.`;
        return [{ kind: "Service", namespace: namespace ?? undefined, name, path: "status.loadBalancer", message }];
      });
  });
}

export const isExcluded = ({ metadata }: Node): boolean => metadata.labels?.[EXCLUDED] !== undefined;

/** With externalTrafficPolicy Local those that have a ready backend of the address's family. */
function fittingNodes(
  service: Service,
  slices: readonly EndpointSlice[],
  nodes: readonly Node[],
  address: Address,
): readonly Node[] {
  if (service.spec.externalTrafficPolicy !== "Local") return nodes;
  const local = nodesWithBackends(service, slices, familyOf(address));
  return nodes.filter(({ metadata }) => local.has(metadata.name));
}

/** The names in an order that depends on the key. */
export function inTurn(key: string, names: readonly string[]): readonly string[] {
  const weight = (name: string) => hash32(`${key} ${name}`);
  return names.toSorted((a, b) => weight(a) - weight(b) || (a < b ? -1 : 1));
}

/** A list is asked for every Service with a load balancer's address. */
const grouped = new Memo<readonly EndpointSlice[], ReadonlyMap<string, readonly EndpointSlice[]>>();

const serviceNameOf = ({ metadata }: EndpointSlice): string =>
  `${metadata.namespace}/${metadata.labels?.[serviceNameLabel]}`;

function nodesWithBackends(
  service: Service,
  slices: readonly EndpointSlice[],
  family: Family | undefined,
): ReadonlySet<string> {
  const byService = grouped.get(slices, [], () => Map.groupBy(slices, serviceNameOf));
  const own = byService.get(objectName(service))?.filter(({ addressType }) => addressType === family) ?? [];
  const ready = own.flatMap(({ endpoints }) => endpoints.filter(({ conditions }) => conditions?.ready ?? true));
  return new Set(ready.flatMap(({ nodeName }) => nodeName ?? []));
}
