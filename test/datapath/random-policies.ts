// Policies by chance with real packets: what pods reach is what the independent evaluator (test/model) says.
import fc from "fast-check";
import { apiVersionOf, kinds } from "../../model/objects/kinds.ts";
import { podEntity } from "../model/calico/entities.ts";
import { podVerdict } from "../model/calico/evaluate.ts";
import { emptyWorld, type Packet, type World } from "../model/calico/objects.ts";
import { inWords } from "../model/calico/packets.ts";
import { randomWorld } from "../model/calico/random-world.ts";
import type { BareCluster } from "./cluster/bare-cluster.ts";
import { type KubernetesObject, pod } from "./cluster/objects.ts";
import type { Placed } from "./cluster/placed.ts";
import type { Cast } from "./flaps.ts";

const KINDS = [
  "networkPolicies",
  "clusterNetworkPolicies",
  "calicoNetworkPolicies",
  "globalNetworkPolicies",
  "tiers",
  "networkSets",
  "globalNetworkSets",
] as const;

/** A world's policies about these pods, all of the namespace `default`. What is only of a node is left out. */
function transplanted(world: World, pods: readonly Placed[]): World {
  const text = JSON.stringify(world).replaceAll('"alpha"', '"default"').replaceAll("'alpha'", "'default'");
  const moved = JSON.parse(text) as World;
  const here = <T extends { metadata: { namespace?: string } }>(list: T[]) =>
    list.filter(({ metadata }) => metadata.namespace === "default");
  return {
    ...emptyWorld(),
    ...moved,
    ...{
      nodes: [],
      kubeControllersConfigurations: [],
      felixConfigurations: [],
      hostEndpoints: [],
      serviceAccounts: [],
    },
    namespaces: [{ metadata: { name: "default", labels: { "kubernetes.io/metadata.name": "default", team: "a" } } }],
    endpointSlices: [],
    networkPolicies: here(moved.networkPolicies),
    calicoNetworkPolicies: here(moved.calicoNetworkPolicies),
    networkSets: here(moved.networkSets),
    globalNetworkPolicies: moved.globalNetworkPolicies.filter(({ spec }) => !spec.applyOnForward),
    pods: pods.map(({ name, node, address }, index) => ({
      metadata: { name, namespace: "default", labels: world.pods[index]?.metadata.labels ?? {} },
      spec: { nodeName: node, containers: [{ ports: [{ name: "http", containerPort: 80, protocol: "TCP" }] }] },
      status: { podIPs: [{ ip: address }] },
    })),
  };
}

function objectsOf(world: World): KubernetesObject[] {
  return KINDS.flatMap((name) => {
    const header = { apiVersion: apiVersionOf(kinds[name]), kind: kinds[name].kind };
    return world[name].map((item) => ({ ...header, ...item }) as unknown as KubernetesObject);
  });
}

/** The packets about which evaluator and pods differ, in words, of so many worlds one after the other. */
export async function differencesOfWorlds(
  cluster: BareCluster,
  { web, near, far }: Pick<Cast, "web" | "near" | "far">,
  { worlds, seed }: { worlds: number; seed: number },
): Promise<{ packets: number; refused: number; wrong: string[] }> {
  const pods = [web, near, far];
  const found = { packets: 0, refused: 0, wrong: [] as string[] };
  let before: KubernetesObject[] = [];
  for (const [index, whole] of fc.sample(randomWorld, { numRuns: worlds, seed }).entries()) {
    const world = transplanted(whole, pods);
    const [objects, names] = [objectsOf(world), new Set<string>()];
    const labels = world.pods.map(({ metadata }) => metadata.labels ?? {});
    const ports = [{ name: "http", containerPort: 80 }];
    for (const object of objects) names.add(nameOf(object));
    cluster.apply(...pods.map((one, place) => pod({ ...one, labels: labels[place] ?? {}, ports })), ...objects);
    cluster.remove(...before.filter((object) => !names.has(nameOf(object))));
    before = objects;
    await cluster.carriedOut();
    const rows = await Promise.all(pods.map((from) => askedFrom(cluster, world, from, pods)));
    for (const { packet, expected, seen } of rows.flat()) {
      found.packets++;
      if (!expected) found.refused++;
      if (expected !== seen)
        found.wrong.push(
          `world ${index}: ${inWords({ direction: "egress", packet })}: evaluator ${expected}, seen ${seen}`,
        );
    }
  }
  cluster.remove(...before);
  return found;
}

async function askedFrom(cluster: BareCluster, world: World, from: Placed, pods: readonly Placed[]) {
  const asked = pods
    .filter((to) => to !== from)
    .flatMap((to) =>
      (
        [
          ["tcp", 80],
          ["tcp", 81],
          ["udp", 80],
        ] as const
      ).map(([protocol, port]) => {
        const packet: Packet = {
          ...{ source: from.address, destination: to.address, protocol: protocol === "tcp" ? 6 : 17 },
          ...{ sourcePort: 45_000, destinationPort: port },
        };
        const says = (one: Placed, direction: "ingress" | "egress") => {
          const own = world.pods.find(({ metadata }) => metadata.name === one.name);
          return own && podVerdict(world, podEntity(world, own), direction, packet) === "allow";
        };
        const expected = says(from, "egress") === true && says(to, "ingress") === true;
        return { packet, expected, probe: { to: `${to.address}:${port}`, protocol } };
      }),
    );
  // An answer that must come may take its time: the machine may be busy.
  const probes = asked.map(({ probe, expected }) => ({ ...probe, timeoutMs: expected ? 60_000 : 300 }));
  const results = await cluster.probe(`default/${from.name}`, ...probes);
  return asked.map(({ packet, expected }, index) => ({
    ...{ packet, expected },
    seen: results[index]?.verdict === "allowed",
  }));
}

function nameOf({ apiVersion, kind, metadata }: KubernetesObject): string {
  return `${apiVersion}/${kind}/${metadata.namespace}/${metadata.name}`;
}
