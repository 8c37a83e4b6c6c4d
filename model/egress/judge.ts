import type { Address } from "../address/address.ts";
import { canonicalAddress, covers, familyOf, hostCidr, parseCidr } from "../address/address.ts";
import { firstFew } from "../first-few.ts";
import { Latest } from "../memo.ts";
import type { NodeDirectory } from "../node/nodes.ts";
import type { IpPool } from "../objects/calico.ts";
import type { Namespace, Node, Pod } from "../objects/core.ts";
import type { EgressGateway } from "../objects/egress-gateway.ts";
import { objectName } from "../objects/metadata.ts";
import { addressesOf, isPodOf, ownAddresses, type PlacedPodName } from "../objects/pod-of.ts";
import { podAsSubject } from "../policy/who.ts";
import type { Judged } from "../pool/claims.ts";
import type { Problem } from "../problem.ts";
import { NONE, type PlacedGateway, placeGateway } from "./gateways.ts";
import { type EgressGroup, type EgressPlan, type EgressWay, EVERYWHERE, LINK_LOCAL, NO_EGRESS } from "./plan.ts";
import { POOL_EGRESS_ADDRESS } from "./pool-address.ts";
import { podLabels, podsOf } from "./selector.ts";

/** How many gateways the maps can hold. Pods that a further gateway selects do not leave the cluster. */
export const MOST_GATEWAYS = 100;
const MOST_MEMBERS = 60_000;

export interface EgressObjects {
  readonly egressGateways: readonly EgressGateway[];
  readonly nodes: readonly Node[];
  readonly pods: readonly Pod[];
  readonly namespaces: readonly Namespace[];
  /** This node's pods. */
  readonly endpoints: readonly PlacedPodName[];
}

/** Makes a plan again only after a change of the objects it is made of. */
export class EgressPlanner {
  readonly #latest = new Latest<EgressPlan>();

  judge(objects: EgressObjects, nodes: NodeDirectory, pools: Judged<IpPool>): EgressPlan {
    const { egressGateways, pods, namespaces, endpoints } = objects;
    if (egressGateways.length === 0 && !pools.accepted.some(({ object }) => asksForAddress(object))) return NO_EGRESS;
    const inputs = [egressGateways, objects.nodes, pods, namespaces, endpoints, nodes, pools];
    return this.#latest.get(inputs, () => judgeEgress(objects, nodes, pools));
  }
}

/** Pods that a gateway selects although an earlier one selects them too: the first of those pods. */
interface Shared {
  readonly first: PlacedGateway;
  readonly pods: string[];
}

interface Member {
  readonly name: string;
  readonly addresses: readonly Address[];
  /** Undefined: its object is not known yet. */
  readonly pod: Pod | undefined;
  readonly isHere: boolean;
}

export function judgeEgress(objects: EgressObjects, nodes: NodeDirectory, pools: Judged<IpPool>): EgressPlan {
  const byName = objects.egressGateways.toSorted((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1));
  const gateways = byName.map((object, index) => {
    const placed = placeGateway(object, objects.nodes, nodes);
    return index < MOST_GATEWAYS ? placed : { ...placed, way: NONE, problems: [tooMany(object)] };
  });
  const namespaces = new Map(objects.namespaces.map((namespace) => [namespace.metadata.name, namespace]));
  const selecting = new Map(gateways.map((gateway) => [gateway, podsOf(gateway.object)]));
  const members = new Map<PlacedGateway, Member[]>(gateways.map((gateway) => [gateway, []]));
  const shared = new Map<PlacedGateway, Shared>();
  const [unknown, others]: [Member[], Member[]] = [[], []];
  for (const member of candidates(objects, nodes, gateways)) {
    const { pod } = member;
    if (!pod) {
      unknown.push(member);
      continue;
    }
    const labels = podLabels(podAsSubject(pod, namespaces.get(pod.metadata.namespace ?? "default")));
    const [first, ...more] = gateways.filter((gateway) => selecting.get(gateway)?.(labels));
    if (!first) {
      others.push(member);
      continue;
    }
    if (member.isHere || first.isHere) members.get(first)?.push(member);
    for (const gateway of more) {
      const known = shared.get(gateway) ?? { first, pods: [] };
      shared.set(gateway, known);
      known.pods.push(member.name);
    }
  }
  const groups = [...members].map(([gateway, own]) => groupOf(gateway, own));
  const waiting = {
    owner: "pods that are not known yet",
    ways: toAll(EVERYWHERE, NONE),
    members: addressesIn(unknown),
  };
  const ofPools = poolGroups(gateways.length > 0 ? others : [...others, ...unknown], nodes, pools);
  return {
    groups: [...groups, ...(gateways.length > 0 ? [waiting] : []), ...ofPools.groups].filter(
      (group) => group.members.length > 0,
    ),
    gateways: [...new Set(gateways.flatMap(({ ready }) => ready))],
    problems: [
      ...gateways.flatMap(({ problems }) => problems),
      ...[...shared].map(([{ object }, { first, pods }]) => sharedProblem(object, first.object, pods)),
      ...ofPools.problems,
    ],
  };
}

/** This node's pods, and all pods if this node is a gateway: the first ones, if there are too many. */
function candidates(
  { endpoints, pods }: EgressObjects,
  { facts }: NodeDirectory,
  gateways: readonly PlacedGateway[],
): Member[] {
  const mine = new Map(pods.flatMap((pod) => (pod.spec.nodeName === facts.nodeName ? [[objectName(pod), pod]] : [])));
  const here = endpoints.map((endpoint): Member => {
    const name = `${endpoint.namespace}/${endpoint.pod}`;
    const pod = mine.get(name);
    const isKnown = pod && isPodOf(pod, endpoint);
    return { name, addresses: addressesOf(endpoint), pod: isKnown ? pod : undefined, isHere: true };
  });
  if (!gateways.some(({ isHere }) => isHere)) return here;
  // A kubelet writes the addresses of its own pods, so another node cannot claim those of this node's pods.
  const taken = new Set(here.flatMap(({ addresses }) => addresses));
  const elsewhere = pods.flatMap((pod): Member[] => {
    const claimed = pod.spec.nodeName === facts.nodeName ? [] : ownAddresses(pod);
    const addresses = claimed.filter((address) => !taken.has(address));
    return addresses.length > 0 ? [{ name: objectName(pod), addresses, pod, isHere: false }] : [];
  });
  return [...here, ...elsewhere];
}

function groupOf({ object, way }: PlacedGateway, members: readonly Member[]): EgressGroup {
  const { destinations, exceptions } = object.spec;
  const ways = new Map<string, EgressWay>([[LINK_LOCAL, { how: "plain" }]]);
  for (const destination of destinations.length > 0 ? destinations : EVERYWHERE) ways.set(destination, way);
  for (const exception of exceptions) ways.set(exception, { how: "plain" });
  return {
    owner: `EgressGateway ${object.metadata.name}`,
    ways: [...ways].map(([destination, of]) => ({ destination, way: of })),
    members: addressesIn(members),
  };
}

const toAll = (destinations: readonly string[], way: EgressWay): EgressGroup["ways"] =>
  destinations.map((destination) => ({ destination, way }));

function addressesIn(members: readonly Member[]): Address[] {
  return members.flatMap(({ addresses }) => addresses).slice(0, MOST_MEMBERS);
}

function asksForAddress({ metadata }: IpPool): boolean {
  return metadata.annotations?.[POOL_EGRESS_ADDRESS] !== undefined;
}

/** Pods of this node from pools that have an egress address. */
function poolGroups(
  members: readonly Member[],
  nodes: NodeDirectory,
  { accepted }: Judged<IpPool>,
): Pick<EgressPlan, "groups" | "problems"> {
  const problems: Problem[] = [];
  const here = members.filter(({ isHere }) => isHere).flatMap(({ addresses }) => addresses);
  const groups = accepted.flatMap(({ object, cidr }): EgressGroup[] => {
    const text = object.metadata.annotations?.[POOL_EGRESS_ADDRESS];
    if (text === undefined) return [];
    const own = here.filter((address) => covers(cidr, hostCidr(address)));
    const address = canonicalAddress(text);
    const fault = addressFault(address, cidr.family, nodes, own.length > 0);
    if (fault) problems.push(poolProblem(object, `"${text.slice(0, 100)}" ${fault}`));
    const way: EgressWay = fault || !address ? NONE : { how: "here", addresses: { [cidr.family]: address } };
    const everywhere = EVERYWHERE.filter((destination) => parseCidr(destination).family === cidr.family);
    return [{ owner: `IPPool ${object.metadata.name}`, ways: toAll(everywhere, way), members: own }];
  });
  return { groups, problems };
}

function addressFault(
  address: Address | undefined,
  family: string,
  nodes: NodeDirectory,
  isUsed: boolean,
): string | undefined {
  if (address === undefined || familyOf(address) !== family) return `is no address of ${family}`;
  const { nodeName } = nodes.facts;
  if (!isUsed || nodes.nodeOf(address) === nodeName) return undefined;
  return `is no address of node ${nodeName}, which has pods of the pool`;
}

function poolProblem({ metadata }: IpPool, reason: string): Problem {
  const message = `${reason}, so what these pods send to hosts outside the cluster is dropped. Next: name an address of the node, limit the pool to the node that has it (nodeSelector), or declare an EgressGateway for the pods.`;
  return { kind: "IPPool", name: metadata.name, path: `metadata.annotations[${POOL_EGRESS_ADDRESS}]`, message };
}

function sharedProblem({ metadata }: EgressGateway, first: EgressGateway, pods: readonly string[]): Problem {
  const message = `selects pods that EgressGateway ${first.metadata.name} selects as well (${firstFew([...new Set(pods)].sort())}): these leave by that one, the first by name. Next: let the selectors exclude each other.`;
  return { kind: "EgressGateway", name: metadata.name, path: "spec", message };
}

function tooMany({ metadata }: EgressGateway): Problem {
  const message = `the cluster has more than ${MOST_GATEWAYS} EgressGateways: pods of this one, and of all that follow by name, do not leave the cluster.`;
  return { kind: "EgressGateway", name: metadata.name, path: "metadata.name", message };
}
