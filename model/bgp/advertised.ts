import { type Address, type Cidr, covers, hostCidr, parseCidr } from "../address/address.ts";
import type { BgpConfiguration } from "../objects/bgp/configuration.ts";
import { communityOf } from "../objects/bgp/values.ts";
import type { IpPool } from "../objects/calico.ts";
import { isLeaving, type Node } from "../objects/core.ts";
import type { PlacedBlock } from "../pool/pools.ts";
import type { Claim } from "../service/frontend-rules.ts";
import type { CompiledService, ServedFrontend } from "../service/service.ts";
import type { Marking } from "./plan.ts";

/** Blocks of this node's pods, of pools that are exported. A node that is being emptied announces only those in which it still has a pod. */
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

/** Whether the node gives its work to others: it is cordoned or being deleted, and another one is not. */
export function isEmptied(nodes: readonly Node[], name: string): boolean {
  const gives = (node: Node) => node.spec.isCordoned || isLeaving(node);
  const own = nodes.find(({ metadata }) => metadata.name === name);
  return own !== undefined && gives(own) && nodes.some((node) => !gives(node));
}

const CLAIMS = {
  serviceClusterIPs: "cluster IP",
  serviceExternalIPs: "external IP",
  serviceLoadBalancerIPs: "load balancer",
} as const satisfies Partial<Record<keyof BgpConfiguration["spec"], Claim>>;

export function announcedNetworks({ spec }: BgpConfiguration): Cidr[] {
  return (Object.keys(CLAIMS) as (keyof typeof CLAIMS)[]).flatMap((field) => spec[field].map(parseCidr));
}

/** Networks that every node announces, and single addresses: with traffic policy Local, where an endpoint is. A network of one address is
 * announced only as that of a Service. */
export function serviceRoutes({ spec }: BgpConfiguration, services: readonly CompiledService[]): Cidr[] {
  const found = new Map<string, Cidr>();
  for (const [field, claim] of Object.entries(CLAIMS) as [keyof typeof CLAIMS, Claim][]) {
    const networks = spec[field].map(parseCidr);
    if (networks.length === 0) continue;
    const isWhole = claim !== "load balancer" || spec.serviceLoadBalancerAggregation !== "Disabled";
    const whole = isWhole ? networks.filter(({ prefixLength }) => prefixLength < 128) : [];
    for (const network of whole) found.set(network.text, network);
    for (const frontend of services.flatMap(({ frontends }) => frontends)) {
      if (frontend.claim !== claim || (frontend.trafficPolicy !== "Local" && whole.length === networks.length))
        continue;
      const address = hostCidr(frontend.key.address);
      const isIn = (all: readonly Cidr[]) => all.some((network) => covers(network, address));
      if (!isIn(networks) || (frontend.trafficPolicy !== "Local" && isIn(whole))) continue;
      if (answers(frontend)) found.set(address.text, address);
    }
  }
  return [...found.values()].sort((one, other) => (one.text < other.text ? -1 : 1));
}

function answers({ trafficPolicy, list }: ServedFrontend): boolean {
  return trafficPolicy === "Local" ? list.localCount > 0 : list.backends.length > 0;
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
