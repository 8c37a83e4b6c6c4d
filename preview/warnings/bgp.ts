import { LAB_NETWORK } from "../../components/documents/defaults.ts";
import { faultsOf, inWords } from "../../components/documents/faults.ts";
import { type Address, covers, hostCidr, parseCidr } from "../../model/address/address.ts";
import type { BgpPeer } from "../../model/objects/bgp/peer.ts";
import { type Kind, kinds } from "../../model/objects/kinds.ts";
import { schemas } from "../../model/objects/schemas.ts";
import type { Cluster } from "../declared/cluster.ts";
import { labOf } from "../declared/machines.ts";
import { isOf, type WrittenObject } from "../declared/objects.ts";
import { subnetsOf } from "../network.ts";
import type { Resource } from "../resource.ts";
import type { Warning } from "./warning.ts";

const BGP = [
  [kinds.bgpConfigurations, schemas.bgpConfigurations],
  [kinds.bgpPeers, schemas.bgpPeers],
  [kinds.bgpFilters, schemas.bgpFilters],
] as const;

/** BGP objects that the agents would ignore, and sessions that most likely stay down. */
export function bgpWarnings({ kind, objects, nodes }: Cluster, resources: Resource[]): Warning[] {
  const peers = objects
    .filter((object) => isOf(kinds.bgpPeers, object))
    .flatMap((object) => schemas.bgpPeers.safeParse(object).data ?? []);
  const filters = new Set(namesOf(objects, kinds.bgpFilters));
  const names = nodes.map(({ name }) => name);
  const machines = kind === "existing" ? [] : networksOf(kind, resources, nodes);
  return [
    ...unreadable(objects),
    ...peers.flatMap((peer) => [
      ...withoutFilter(peer, filters),
      ...withoutNode(peer, names),
      ...beyond(peer, nodes.length > 0 ? machines : []),
    ]),
    ...peers.flatMap((peer, index) => doubled(peer, peers.slice(0, index))),
  ];
}

function namesOf(objects: readonly WrittenObject[], kind: Kind): string[] {
  return objects.filter((object) => isOf(kind, object)).map(({ metadata }) => metadata?.name ?? "");
}

/** Components refuse specs that cannot be read; objects of other origins may have them. */
function unreadable(objects: readonly WrittenObject[]): Warning[] {
  return BGP.flatMap(([kind, schema]) =>
    objects
      .filter((object) => isOf(kind, object))
      .flatMap((object) => {
        // What is missing may not be known yet.
        const fault = faultsOf(schema, object).find(({ received }) => received !== undefined);
        if (!fault) return [];
        const what = `${inWords(fault)}; the agents do not follow the object`;
        return [{ about: `${kind.kind} ${object.metadata?.name ?? ""}`, what, next: "correct the field" }];
      }),
  );
}

const about = ({ metadata }: BgpPeer): string => `BGPPeer ${metadata.name}`;

function withoutFilter(peer: BgpPeer, filters: ReadonlySet<string>): Warning[] {
  return (peer.spec.filters ?? []).flatMap((name, index) => {
    if (filters.has(name)) return [];
    const what = `spec.filters[${index}]: BGPFilter ${name} is not declared here; while there is none, no route is taken of the peer or given to it`;
    return [{ about: about(peer), what, next: "declare it, or correct the name, unless it is declared elsewhere" }];
  });
}

function withoutNode(peer: BgpPeer, nodes: readonly string[]): Warning[] {
  const { node } = peer.spec;
  if (!node || nodes.length === 0 || nodes.includes(node)) return [];
  const what = `spec.node: no node of the cluster is called ${node}, so nobody has the session`;
  return [{ about: about(peer), what, next: `name one of ${nodes.join(", ")}` }];
}

/** The networks of the cluster's nodes, as far as the stack declares them. */
function networksOf(kind: Cluster["kind"], resources: Resource[], nodes: Cluster["nodes"]): string[] {
  if (kind === "aws")
    return subnetsOf(resources, nodes).flatMap(({ cidr, machines }) => (machines.length > 0 ? [cidr] : []));
  const labs = resources.flatMap(({ inputs }) => labOf(inputs) ?? []);
  return labs.flatMap(({ subnets }) => subnets?.map(({ cidr }) => cidr) ?? [LAB_NETWORK]);
}

/** Of the families of the networks: a lab's and a VPC's IPv6 networks are not all written. */
function beyond(peer: BgpPeer, networks: readonly string[]): Warning[] {
  const address = peer.spec.peerIP?.address;
  const known = networks.map(parseCidr);
  const own = address && hostCidr(address);
  if (!own || known.some((network) => covers(network, own)) || !known.some(({ family }) => family === own.family))
    return [];
  const what = `spec.peerIP: ${address} is in no subnet of the nodes (${networks.join(", ")}): the session needs routes there and back, and with another AS a peer that allows several hops`;
  return [
    { about: about(peer), what, next: "name the router of the nodes' own subnet, or set ttlSecurity to how far it is" },
  ];
}

/** Of two peers with one address on a node, the older object's session counts. */
function doubled(peer: BgpPeer, others: readonly BgpPeer[]): Warning[] {
  const address = addressOf(peer);
  const other = others.find((one) => address !== undefined && addressOf(one) === address && share(one, peer));
  if (!other || numbers(other) === numbers(peer)) return [];
  const what = `spec.peerIP: ${address} is the peer of BGPPeer ${other.metadata.name} too, with other numbers; a node has one session with an address, the older object's`;
  return [{ about: about(peer), what, next: "give both the same port and AS numbers, or different nodes" }];
}

const addressOf = ({ spec }: BgpPeer): Address | undefined => spec.peerIP?.address;
const numbers = ({ spec }: BgpPeer): string => JSON.stringify([spec.peerIP?.port, spec.asNumber, spec.localASNumber]);

/** Whether both objects may apply to one node. */
function share({ spec: one }: BgpPeer, { spec: other }: BgpPeer): boolean {
  if (one.node && other.node) return one.node === other.node;
  return !(one.nodeSelector && other.nodeSelector) || one.nodeSelector === other.nodeSelector;
}
