import { type Address, type Cidr, FAMILIES, type Family, familyOf, parseCidr } from "../address/address.ts";
import { hash32 } from "../hash.ts";
import { Latest } from "../memo.ts";
import { serviceSubnetsOf } from "../node/facts.ts";
import type { NodeDirectory } from "../node/nodes.ts";
import type { BgpConfiguration } from "../objects/bgp/configuration.ts";
import type { BgpFilter } from "../objects/bgp/filter.ts";
import type { BgpPeer } from "../objects/bgp/peer.ts";
import type { IpPool } from "../objects/calico.ts";
import type { Node } from "../objects/core.ts";
import { addressesOf, type PodAddresses } from "../objects/pod-of.ts";
import type { Judged } from "../pool/claims.ts";
import type { PoolDirectory } from "../pool/pools.ts";
import { announcing, type EndpointNodes } from "../service/announcing.ts";
import { announcedNetworks, isEmptied, markings, ownBlocks, type Served, serviceRoutes } from "./advertised.ts";
import type { BgpPlan, JudgedBgp } from "./plan.ts";
import { sessionsOf } from "./sessions.ts";
import { bgpSettings, defaultBgpConfiguration, speakerProblems, speakersOf } from "./settings.ts";

export interface BgpObjects {
  readonly bgpConfigurations: readonly BgpConfiguration[];
  readonly bgpPeers: readonly BgpPeer[];
  readonly bgpFilters: readonly BgpFilter[];
  readonly nodes: readonly Node[];
  /** This node's pods. */
  readonly endpoints: readonly PodAddresses[];
}

export interface BgpSurroundings extends Served {
  readonly nodes: NodeDirectory;
  readonly pools: PoolDirectory;
  readonly ipPools: Judged<IpPool>;
}

/** Makes a plan again only after a change of the objects it is made of. */
export class BgpPlanner {
  readonly #latest = new Latest<JudgedBgp>();

  judge(objects: BgpObjects, around: BgpSurroundings): JudgedBgp {
    const { bgpConfigurations, bgpPeers, bgpFilters, endpoints } = objects;
    const { nodes, pools, ipPools, services, lost } = around;
    const ofBgp = [bgpConfigurations, bgpPeers, bgpFilters];
    const inputs = [...ofBgp, endpoints, objects.nodes, nodes, pools, ipPools, services, lost];
    return this.#latest.get(inputs, () => judgeBgp(objects, around));
  }
}

/** The routes that this node announces and accepts by BGP. Without a BGPConfiguration and a BGPPeer there is no BGP. */
export function judgeBgp(objects: BgpObjects, around: BgpSurroundings): JudgedBgp {
  const configuration = defaultBgpConfiguration(objects.bgpConfigurations);
  if (!configuration && objects.bgpPeers.length === 0)
    return { plan: undefined, problems: otherConfigurations(objects.bgpConfigurations) };
  const { nodes, pools, ipPools } = around;
  const { nodeName } = nodes.facts;
  const settings = bgpSettings(configuration);
  const own = ownAddresses(nodes);
  const { sessions, problems } = sessionsOf({
    ...{ settings, nodes, own, blocks: Map.groupBy(pools.blocks, ({ nodeName }) => nodeName) },
    ...{ speakers: speakersOf(objects.nodes, settings), peers: objects.bgpPeers, filters: objects.bgpFilters },
  });
  const emptied = isEmptied(objects.nodes, nodeName);
  const isOwn = ({ metadata }: Node) => metadata.name === nodeName;
  const isKnown = objects.nodes.some(isOwn);
  const announces = (on?: EndpointNodes) => !isKnown || announcing(objects.nodes, on).some(isOwn);
  const serviceNetworks = byText(configuration ? announcedNetworks(configuration) : []);
  const plan: BgpPlan = {
    routerId: routerIdOf(nodeName, own.IPv4),
    listenPort: settings.port,
    sessions,
    blocks: byText(ownBlocks(pools.blocks, ipPools.accepted, emptied, () => objects.endpoints.flatMap(addressesOf))),
    serviceNetworks,
    services: configuration ? serviceRoutes(configuration, around, nodes, announces) : [],
    marked: configuration ? markings(configuration) : [],
    carried: byText(carried(pools)),
    pods: byText(pools.pools.map(({ cidr }) => cidr)),
    own: byText([...[...nodes.facts.subnets, ...serviceSubnetsOf(nodes.facts)].map(parseCidr), ...serviceNetworks]),
  };
  return {
    plan,
    problems: [
      ...problems,
      ...otherConfigurations(objects.bgpConfigurations),
      ...speakerProblems(objects.nodes.find(({ metadata }) => metadata.name === nodeName)),
    ],
  };
}

function ownAddresses(nodes: NodeDirectory): Partial<Record<Family, Address>> {
  const { address, addressIpv6 } = nodes.facts;
  const known = [address, ...(addressIpv6 === undefined ? [] : [addressIpv6])];
  return Object.fromEntries(
    FAMILIES.flatMap((family) => {
      const found = known.find((one) => familyOf(one) === family);
      return found === undefined ? [] : [[family, found]];
    }),
  );
}

/** Four bytes that no other node has: its IPv4 address, or a hash of its name (RFC 6286). */
function routerIdOf(node: string, address: Address | undefined): Address {
  if (address !== undefined) return address;
  const hash = hash32(node) || 1;
  return [24, 16, 8, 0].map((bits) => (hash >>> bits) & 255).join(".");
}

function carried({ blocks, traitsOf }: PoolDirectory): Cidr[] {
  return blocks
    .filter(({ node, router, onLink }) => node !== undefined && router !== undefined && !onLink)
    .filter(({ cidr, node }) => !traitsOf(cidr, node).encapsulation)
    .map(({ cidr }) => cidr);
}

function byText(networks: readonly Cidr[]): Cidr[] {
  const found = new Map(networks.map((network) => [network.text, network]));
  return [...found.values()].sort((one, other) => (one.text < other.text ? -1 : 1));
}

function otherConfigurations(all: readonly BgpConfiguration[]) {
  return all
    .filter(({ metadata }) => metadata.name !== "default")
    .map(({ metadata }) => ({
      kind: "BGPConfiguration",
      name: metadata.name,
      path: "metadata.name",
      message: 'only "default" is read; settings of single nodes are not supported.',
    }));
}
