import {
  type Address,
  type Cidr,
  contains,
  covers,
  type Family,
  hostCidr,
  overlap,
  parseCidr,
} from "../address/address.ts";
import { modeOf } from "../mode/configuration.ts";
import type { NodeDirectory } from "../node/nodes.ts";
import type { BgpConfiguration } from "../objects/bgp/configuration.ts";
import { communityOf } from "../objects/bgp/values.ts";
import type { FelixConfiguration, IpPool } from "../objects/calico.ts";
import { isLeaving, type Node } from "../objects/core.ts";
import type { PlacedBlock, PoolDirectory } from "../pool/pools.ts";
import type { EndpointNodes } from "../service/announcing.ts";
import { endpointNodes } from "../service/announcing.ts";
import { frontendText } from "../service/frontend.ts";
import type { Lost } from "../service/frontend-claims.ts";
import type { Claim } from "../service/frontend-rules.ts";
import type { CompiledService, ServedFrontend } from "../service/service.ts";
import type { Marking } from "./plan.ts";

/** Blocks of this node's pods, of pools that are exported. A node that is being drained announces only the blocks in which it still has
 * a pod. */
export function ownBlocks(
  blocks: readonly PlacedBlock[],
  pools: readonly { readonly object: IpPool; readonly cidr: Cidr }[],
  isEmptied: boolean,
  podAddresses: () => readonly Address[],
): Cidr[] {
  const hidden = pools.filter(({ object }) => object.spec.disableBGPExport).map(({ cidr }) => cidr);
  const addresses = isEmptied ? podAddresses().map(hostCidr) : [];
  return blocks
    .filter(({ holder }) => holder === "this node")
    .map(({ cidr }) => cidr)
    .filter((cidr) => !hidden.some((pool) => covers(pool, cidr)))
    .filter((cidr) => !isEmptied || addresses.some((address) => covers(cidr, address)));
}

const handsOver = (node: Node) => node.spec.isCordoned || isLeaving(node);

/** Whether the node hands its work over: it is cordoned or being deleted, and another node is neither. */
export function isEmptied(nodes: readonly Node[], name: string): boolean {
  const own = nodes.find(({ metadata }) => metadata.name === name);
  return own !== undefined && handsOver(own) && nodes.some((node) => !handsOver(node));
}

const CLAIMS = {
  serviceClusterIPs: "cluster IP",
  serviceExternalIPs: "external IP",
  serviceLoadBalancerIPs: "load balancer",
} as const satisfies Partial<Record<keyof BgpConfiguration["spec"], Claim>>;
const FIELDS = Object.keys(CLAIMS) as (keyof typeof CLAIMS)[];

/** The networks of a field that nodes announce as a whole. A network of a single address is announced only as the address of a Service. */
function wholeNetworks(spec: BgpConfiguration["spec"], field: keyof typeof CLAIMS): Cidr[] {
  if (CLAIMS[field] === "load balancer" && spec.serviceLoadBalancerAggregation === "Disabled") return [];
  return spec[field].map(parseCidr).filter(({ prefixLength }) => prefixLength < 128);
}

/** The networks that nodes announce as a whole and that contain only addresses of Services. In these, a packet to an address that no
 * Service has would go from the nodes to the router and back until its TTL ends. A network that overlaps a subnet of this node, an
 * address of a node, or a pool is left out, because other hosts have addresses in it. While kube-proxy handles Services, it may serve
 * addresses that this agent does not know yet. */
export function networksOfServicesAlone(
  configuration: BgpConfiguration | undefined,
  felix: FelixConfiguration | undefined,
  { addresses, facts }: Pick<NodeDirectory, "addresses" | "facts">,
  { pools }: Pick<PoolDirectory, "pools">,
): Cidr[] {
  const isOff = felix?.spec.serviceLoopPrevention === "Disabled" || modeOf(felix).kubeProxy === "active";
  if (!configuration || isOff) return [];
  const taken = [
    ...facts.subnets.map(parseCidr),
    ...[...addresses.keys()].map(hostCidr),
    ...pools.map(({ cidr }) => cidr),
  ];
  return FIELDS.flatMap((field) => wholeNetworks(configuration.spec, field)).filter(
    (network) => !taken.some((other) => overlap(network, other)),
  );
}

export function announcedNetworks({ spec }: BgpConfiguration): Cidr[] {
  return FIELDS.flatMap((field) => spec[field].map(parseCidr));
}

/** Whether nodes announce a frontend's address, alone or in a network. */
export function isAnnounced(
  { spec }: BgpConfiguration,
  { claim, key }: Pick<ServedFrontend, "claim" | "key">,
): boolean {
  const field = FIELDS.find((one) => CLAIMS[one] === claim);
  return field !== undefined && spec[field].some((network) => contains(parseCidr(network), key.address));
}

/** What is served, and which of it is another's. */
export interface Served {
  readonly services: readonly CompiledService[];
  readonly lost: ReadonlyMap<CompiledService, Lost>;
}

/** Networks that this node announces, and single addresses; with traffic policy Local, an address is announced only by nodes with an
 * endpoint.
 * @param announces whether this node announces, of the nodes with endpoints, or of all */
export function serviceRoutes(
  { spec }: BgpConfiguration,
  { services, lost }: Served,
  nodes: NodeDirectory,
  announces: (endpoints?: EndpointNodes) => boolean,
): Cidr[] {
  const found = new Map<string, Cidr>();
  const announcesAll = announces();
  for (const field of FIELDS) {
    const claim = CLAIMS[field];
    const networks = spec[field].map(parseCidr);
    if (networks.length === 0) continue;
    const whole = wholeNetworks(spec, field);
    const isIn = (address: Address, all: readonly Cidr[]) => all.some((network) => contains(network, address));
    if (announcesAll) for (const network of whole) found.set(network.text, network);
    for (const service of services) {
      const byFamily = new Map<Family, boolean>(); // a Service may have a thousand ports
      const announcesLocal = (family: Family): boolean => {
        const is = byFamily.get(family) ?? announces(endpointNodes(service.backends, family, nodes));
        byFamily.set(family, is);
        return is;
      };
      for (const { key, family, trafficPolicy, list, ...frontend } of service.frontends) {
        const isLocal = trafficPolicy === "Local";
        if (frontend.claim !== claim || (!isLocal && whole.length === networks.length)) continue;
        if (!isIn(key.address, networks) || (!isLocal && isIn(key.address, whole))) continue;
        // Of another Service, whose nodes are others.
        if (lost.get(service)?.has(frontendText(key))) continue;
        const is = isLocal ? list.localCount > 0 && announcesLocal(family) : list.backends.length > 0 && announcesAll;
        if (!is) continue;
        const address = hostCidr(key.address);
        found.set(address.text, address);
      }
    }
  }
  return [...found.values()].sort((one, other) => (one.text < other.text ? -1 : 1));
}

export function markings({ spec }: BgpConfiguration): Marking[] {
  const named = new Map(spec.communities.map(({ name, value }) => [name, value]));
  return spec.prefixAdvertisements.map(({ cidr, communities }) => ({
    cidr: parseCidr(cidr),
    communities: communities.flatMap((text) => {
      const numbers = named.get(text) ?? communityOf(text);
      return numbers ? [numbers] : [];
    }),
  }));
}
