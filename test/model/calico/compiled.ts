// What the product makes of a world: the compiled maps of one node, in memory, and the lookups of the packet path.
import { Compiler } from "../../../agent/compile/compile.ts";
import { type ClusterSnapshot, noObjects } from "../../../agent/compile/snapshot.ts";
import type { MapStores } from "../../../agent/kernel/map-store.ts";
import { memoryMaps } from "../../../agent/kernel/memory-map.ts";
import { Reconciler } from "../../../agent/reconcile/reconciler.ts";
import { schemas } from "../../../model/objects/schemas.ts";
import type { HostInterface } from "../../../model/policy/hosts.ts";
import type { Problem } from "../../../model/problem.ts";
import { delivered, sent } from "../packet-path.ts";
import type { Verdict } from "./evaluate.ts";
import { familiesOf, inFamily, interfacesOf, isIpv6, NODES } from "./families.ts";
import type { Node, Pod, World } from "./objects.ts";
import type { Question } from "./packets.ts";

/** The kinds that the product follows, with which worlds are compared. */
const FOLLOWED: readonly (keyof World)[] = [
  ...(["networkPolicies", "calicoNetworkPolicies", "globalNetworkPolicies", "clusterNetworkPolicies"] as const),
  ...(["tiers", "networkSets", "globalNetworkSets", "hostEndpoints", "egressGateways"] as const),
];

const ALWAYS: readonly (keyof World)[] = [
  ...(["nodes", "namespaces", "serviceAccounts", "pods", "endpointSlices"] as const),
  ...(["kubeControllersConfigurations", "felixConfigurations"] as const),
];

/** The world without the kinds that the product does not follow yet. */
export function followed(world: World): World {
  const kept = new Set<string>([...FOLLOWED, ...ALWAYS]);
  const left = Object.entries(world).map(([kind, list]) => [kind, kept.has(kind) ? list : []]);
  return Object.fromEntries(left) as never;
}

/** The interfaces of `master`. */
export function uplinksOf(world: World): HostInterface[] {
  return interfacesOf(world).map(({ name, addresses }, index) => ({ name, addresses, ifindex: 2 + 2 * index }));
}

/** The cluster as the agent on `master` sees it. */
export function snapshotOf(world: World): ClusterSnapshot {
  const read = Object.entries(world).map(([kind, list]) => [
    kind,
    (list as unknown[]).map((item) => schemas[kind as keyof typeof schemas].parse(item)),
  ]);
  const families = familiesOf(world);
  const uplinks = uplinksOf(world);
  const [address = "", ...others] = uplinks.flatMap(({ addresses }) => addresses);
  const addressIpv6 = uplinks[0]?.addresses.find(isIpv6);
  const nodes = world.nodes.length > 0 ? world.nodes : Object.entries(NODES).map(([name, own]) => nodeOf(name, own));
  return {
    ...noObjects,
    ...Object.fromEntries(read),
    facts: {
      nodeName: "master",
      address,
      ...(addressIpv6 && { addressIpv6 }),
      subnets: families.map((family) => inFamily("172.31.1.0/24", family)),
      localAddresses: others,
      serviceSubnet: "10.96.0.0/12",
      uplinkIfindex: 2,
      tunnelIfindex: 3,
      uplinks,
    },
    endpoints: world.pods.filter(isLocal).map(({ metadata, status }, index) => ({
      namespace: metadata.namespace,
      pod: metadata.name,
      address: status.podIPs[0]?.ip ?? "",
      ...(status.podIPs[1] && { secondAddress: status.podIPs[1].ip }),
      ifindex: 100 + index,
      mac: "02:00:00:00:00:01",
      hostMac: "02:00:00:00:00:02",
    })),
    nodes: nodes.map((node) => schemas.nodes.parse(node)),
    ipPools: families.map((family) =>
      schemas.ipPools.parse({
        metadata: { name: family.toLowerCase() },
        spec: { cidr: inFamily("10.244.0.0/16", family), vxlanMode: "CrossSubnet" },
      }),
    ),
  };
}

function nodeOf(name: string, address: string): Node {
  return { metadata: { name }, status: { addresses: [{ type: "InternalIP", address }] } };
}

function isLocal({ spec }: Pod): boolean {
  return spec.nodeName === "master";
}

/** A tier that does not exist, an interface that is none or has two host endpoints, a gateway without a node. */
const EXPECTED = new Set(["spec.tier", "spec.interfaceName", "spec.expectedIPs", "spec.nodeSelector"]);

export function unexpectedProblems(problems: readonly Problem[]): readonly Problem[] {
  return problems.filter(({ kind, path }) => !EXPECTED.has(path) && !(kind === "EgressGateway" && path === "spec"));
}

/** The compiled maps of the node `master`; throws if something of the world was not compiled. */
export function compiledMaps(world: World): MapStores {
  const maps = memoryMaps();
  const state = new Compiler().compile(snapshotOf(world));
  const report = new Reconciler(maps).sync(state.maps);
  const problems = [...unexpectedProblems(state.problems), ...report.problems];
  if (problems.length > 0 || report.pending > 0) throw new Error(`not compiled: ${JSON.stringify(problems)}`);
  return maps;
}

/** The verdicts of the compiled maps about pods' packets. */
export function compiledVerdicts(world: World): (question: Question) => Verdict {
  const maps = compiledMaps(world);
  return ({ direction, packet }) => {
    const { source, destination, protocol, destinationPort, sourcePort, icmp } = packet;
    const flow = {
      source,
      destination,
      protocol,
      port: icmp ? (icmp.type << 8) | icmp.code : (destinationPort ?? 0),
      sourcePort: sourcePort ?? 0,
    };
    const answer = direction === "ingress" ? delivered(maps, flow) : sent(maps, flow);
    if (answer === undefined) throw new Error(`${JSON.stringify(flow)} has no endpoint`);
    return answer ? "allow" : "deny";
  };
}
