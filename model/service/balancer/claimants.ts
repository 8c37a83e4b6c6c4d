import { type Address, broadcastOf, canonicalAddress, familyOf, parseCidr } from "../../address/address.ts";
import type { NodeDirectory } from "../../node/nodes.ts";
import { ageText } from "../../objects/age.ts";
import type { IpPool } from "../../objects/calico.ts";
import type { Service } from "../../objects/core.ts";
import { objectName } from "../../objects/metadata.ts";
import type { Judged } from "../../pool/claims.ts";
import { loadBalancerPools } from "../../pool/uses.ts";
import type { Problem } from "../../problem.ts";
import { isServed } from "../service.ts";
import { assignAddresses, type Claimant, type Denial } from "./assign.ts";
import { hasOwnBalancer } from "./class.ts";

/** Addresses that a Service asks for, separated by commas; in place of spec.loadBalancerIP. */
export const ADDRESSES = "ebpf-dataplane.io/load-balancer-ips";
/** Services of one namespace with the same text may have one address. */
export const SHARING = "ebpf-dataplane.io/load-balancer-sharing";

/** A Service whose status is to have other load balancer addresses. */
export interface StatusChange {
  readonly namespace: string;
  readonly name: string;
  readonly addresses: readonly Address[];
}

/** What the statuses of Services lack, and what is said of Services that do not get what they ask for. */
export function balance(
  services: readonly Service[],
  pools: Judged<IpPool>,
  nodes: NodeDirectory,
): { readonly changes: readonly StatusChange[]; readonly problems: readonly Problem[] } {
  const own = services.filter((service) => hasOwnBalancer(service) && isServed(service));
  const asked = own.map((service) => [service, claimantOf(service)] as const);
  const addressPools = loadBalancerPools(pools).map(({ object, cidr }) => ({
    name: object.metadata.name,
    cidr,
    disabled: object.spec.disabled ?? false,
  }));
  // Without a pool nothing is taken away: another controller may be at work, or a pool is being replaced.
  if (addressPools.length === 0) return { changes: [], problems: [] };
  const claimants = asked.flatMap(([, claimant]) => ("path" in claimant ? [] : [claimant]));
  const assigned = assignAddresses(claimants, addressPools, reserved(nodes));
  const changes: StatusChange[] = [];
  const problems: Problem[] = [];
  for (const [service, claimant] of asked) {
    const { namespace, name } = service.metadata;
    const { addresses, denial } =
      "path" in claimant
        ? { addresses: heldBy(service), denial: claimant }
        : (assigned.get(claimant.name) ?? { addresses: [] });
    if (denial) problems.push(denied(service, denial));
    if (addresses.toSorted().join() !== heldBy(service).toSorted().join() || hasOther(service))
      changes.push({ namespace: namespace ?? "default", name, addresses });
  }
  return { changes, problems };
}

function claimantOf(service: Service): Claimant | Denial {
  const { spec, metadata } = service;
  const annotated = metadata.annotations?.[ADDRESSES];
  const path = annotated === undefined ? "spec.loadBalancerIP" : `metadata.annotations[${ADDRESSES}]`;
  const texts = (annotated ?? spec.loadBalancerIP ?? "").split(",").map((text) => text.trim());
  const addresses = [...new Set(texts.filter(Boolean))];
  const unreadable = addresses.find((text) => familyOf(text) !== "IPv4");
  if (unreadable !== undefined) return { path, reason: `"${unreadable}" is no IPv4 address` };
  const sharing = metadata.annotations?.[SHARING];
  return {
    name: objectName(service),
    age: ageText(service),
    request: addresses.length > 0 ? { addresses, path } : undefined,
    sharing: sharing ? `${metadata.namespace}/${sharing}` : undefined,
    ports: spec.ports.map(({ port, protocol }) => `${port}/${protocol ?? "TCP"}`),
    local: spec.externalTrafficPolicy === "Local",
    held: heldBy(service),
  };
}

function ingressOf({ status }: Service) {
  return status?.loadBalancer?.ingress ?? [];
}

/** What the status has, without repetitions. */
export function heldBy(service: Service): readonly Address[] {
  return [
    ...new Set(
      ingressOf(service).flatMap(({ ip, ipMode }) =>
        (ipMode ?? "VIP") === "VIP" && ip ? (canonicalAddress(ip) ?? []) : [],
      ),
    ),
  ];
}

// Of another controller, which had the Service before.
function hasOther(service: Service): boolean {
  return ingressOf(service).length !== heldBy(service).length;
}

function reserved({ addresses, facts }: NodeDirectory): ReadonlySet<Address> {
  const subnets = facts.subnets.map(parseCidr);
  return new Set([
    ...addresses.keys(),
    ...subnets.flatMap((subnet) => [subnet.address, broadcastOf(subnet) ?? []].flat()),
  ]);
}

function denied({ metadata }: Service, { path, reason }: Denial): Problem {
  const message = `no load balancer address is assigned: ${reason}. Next: ask for another address, or add an IPPool.`;
  return { kind: "Service", namespace: metadata.namespace ?? undefined, name: metadata.name, path, message };
}
