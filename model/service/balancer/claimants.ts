import {
  type Address,
  broadcastOf,
  canonicalAddress,
  FAMILIES,
  type Family,
  familyOf,
  parseCidr,
} from "../../address/address.ts";
import type { NodeDirectory } from "../../node/nodes.ts";
import { ageText } from "../../objects/age.ts";
import type { IpPool, IpReservation } from "../../objects/calico.ts";
import type { Service } from "../../objects/core.ts";
import { objectName } from "../../objects/metadata.ts";
import type { Judged } from "../../pool/claims.ts";
import { reservedAddresses } from "../../pool/reserved.ts";
import { loadBalancerPools } from "../../pool/uses.ts";
import type { Problem } from "../../problem.ts";
import { familiesOf } from "../frontends.ts";
import { isServed } from "../service.ts";
import {
  type AddressPool,
  type Assignment,
  assignAddresses,
  type Claimant,
  type Denial,
  type NotGiven,
} from "./assign.ts";
import { hasOwnBalancer } from "./class.ts";

/** Addresses that a Service asks for, separated by commas; in place of spec.loadBalancerIP. */
export const ADDRESSES = "ebpf-dataplane.io/load-balancer-ips";
/** Services of one namespace with the same text may have one address. */
export const SHARING = "ebpf-dataplane.io/load-balancer-sharing";

/** How many addresses one Service may ask for: a quota counts Services, so that one could take a whole pool. */
export const REQUEST_LIMIT = 8;

/** A Service whose status is to have other load balancer addresses. */
export interface StatusChange {
  readonly namespace: string;
  readonly name: string;
  /** Of this very Service: one of its name may have been deleted. */
  readonly uid?: string | undefined;
  readonly addresses: readonly Address[];
}

/** What the statuses of Services lack, and what is said of Services that do not get what they ask for. A Service gets an address of each
 * of its families. */
export function balance(
  services: readonly Service[],
  pools: Judged<IpPool>,
  nodes: NodeDirectory,
  reservations: readonly IpReservation[] = [],
): { readonly changes: readonly StatusChange[]; readonly problems: readonly Problem[] } {
  const own = services.filter((service) => hasOwnBalancer(service) && isServed(service));
  const addressPools = loadBalancerPools(pools).map(({ object, cidr }) => ({
    name: object.metadata.name,
    cidr,
    disabled: object.spec.disabled ?? false,
  }));
  // Without a pool nothing is taken away: another controller may be at work, or a pool is being replaced.
  if (addressPools.length === 0) return { changes: [], problems: [] };
  const asked = own.map((service) => [service, requestOf(service)] as const);
  const readable = asked.flatMap(([service, request]) => ("reason" in request ? [] : [[service, request] as const]));
  // What they have is nobody else's, whatever is wrong with their request, and although another proxy may serve them.
  const fixed = [
    ...asked.flatMap(([service, request]) => ("reason" in request ? [service] : [])),
    ...services.filter((service) => hasOwnBalancer(service) && !isServed(service)),
  ];
  const notGiven = { reserved: reserved(nodes), kept: reservedAddresses(reservations) };
  const assigned = FAMILIES.map((family) => assignedIn(family, readable, fixed, addressPools, notGiven));
  const changes: StatusChange[] = [];
  const problems: Problem[] = [];
  for (const [service, request] of asked) {
    const { namespace, name, uid } = service.metadata;
    const given =
      "reason" in request
        ? [{ addresses: heldBy(service), denial: request }]
        : familiesOf(service).flatMap((family) => assigned[FAMILIES.indexOf(family)]?.get(objectName(service)) ?? []);
    const addresses = given.flatMap((one) => one.addresses);
    for (const { denial } of given) if (denial) problems.push(denied(service, denial));
    if (addresses.toSorted().join() !== heldBy(service).toSorted().join() || hasOther(service))
      changes.push({ namespace: namespace ?? "default", name, uid: uid ?? undefined, addresses });
  }
  return { changes, problems };
}

/** Of one family, by the Services' names. */
function assignedIn(
  family: Family,
  asked: readonly (readonly [Service, Request])[],
  fixed: readonly Service[],
  allPools: readonly AddressPool[],
  notGiven: NotGiven,
): ReadonlyMap<string, Assignment> {
  const pools = allPools.filter(({ cidr }) => cidr.family === family);
  const own = asked.filter(([service]) => familiesOf(service).includes(family));
  const claimants = own.map(([service, request]) => claimantOf(service, request, family));
  const holding = fixed.map((service) => ({ ...claimantOf(service, NO_REQUEST, family), isFixed: true }));
  if (pools.length > 0) return assignAddresses([...holding, ...claimants], pools, notGiven);
  return new Map(
    own.map(([service], index) => {
      const { name = "", held = [], request } = claimants[index] ?? {};
      const isOptional = service.spec.ipFamilyPolicy === "PreferDualStack" && familiesOf(service)[0] !== family;
      const path = request?.path ?? "spec.ipFamilies";
      const denial = { path, reason: `no IPPool with allowedUses: [LoadBalancer] has ${family} addresses` };
      return [name, { addresses: held, denial: isOptional && !request ? undefined : denial }];
    }),
  );
}

/** What a Service asks for; no addresses: any. */
interface Request {
  readonly addresses: readonly Address[];
  readonly path: string;
}

const NO_REQUEST: Request = { addresses: [], path: "" };

function requestOf(service: Service): Request | Denial {
  const { spec, metadata } = service;
  const annotated = metadata.annotations?.[ADDRESSES];
  const path = annotated === undefined ? "spec.loadBalancerIP" : `metadata.annotations[${ADDRESSES}]`;
  const texts = (annotated ?? spec.loadBalancerIP ?? "").split(",").flatMap((text) => text.trim() || []);
  if (texts.length > REQUEST_LIMIT)
    return { path, reason: `${texts.length} addresses are asked for, and one Service may ask for ${REQUEST_LIMIT}` };
  const addresses: Address[] = [];
  for (const text of texts) {
    const address = canonicalAddress(text);
    if (address === undefined) return { path, reason: `"${text}" is no IP address` };
    const family = familyOf(address) ?? "IPv4";
    if (!familiesOf(service).includes(family))
      return { path, reason: `${address} is an ${family} address, and spec.ipFamilies has no ${family}` };
    addresses.push(address);
  }
  return { path, addresses: [...new Set(addresses)] };
}

function claimantOf(service: Service, { path, addresses }: Request, family: Family): Claimant {
  const { spec, metadata } = service;
  const sharing = metadata.annotations?.[SHARING];
  const ofFamily = (all: readonly Address[]) => all.filter((address) => familyOf(address) === family);
  const requested = ofFamily(addresses);
  return {
    name: objectName(service),
    age: ageText(service),
    request: requested.length > 0 ? { addresses: requested, path } : undefined,
    sharing: sharing ? `${metadata.namespace}/${sharing}` : undefined,
    ports: spec.ports.map(({ port, protocol }) => `${port}/${protocol ?? "TCP"}`),
    local: spec.externalTrafficPolicy === "Local",
    held: ofFamily(heldBy(service)),
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
  const message = `a load balancer address is not assigned: ${reason}. Next: ask for another address, or add an IPPool.`;
  return { kind: "Service", namespace: metadata.namespace ?? undefined, name: metadata.name, path, message };
}
