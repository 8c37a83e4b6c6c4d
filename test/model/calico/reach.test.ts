// Worlds by chance whose pods have no addresses yet: what the table of who reaches whom says for certain, host endpoints on the way included, is what
// Calico's documentation says.
import fc from "fast-check";
import { expect, test } from "vitest";
import { apiVersionOf, type KindName, kinds } from "../../../model/objects/kinds.ts";
import { castOf } from "../../../preview/reach/cast.ts";
import { type Peer, reachabilityOf } from "../../../preview/reach/reachability.ts";
import { PRODUCT_FAILSAFES, worldInWords } from "./comparison.ts";
import { followed } from "./compiled.ts";
import { podEntity } from "./entities.ts";
import { podVerdict, type Verdict } from "./evaluate.ts";
import { CLIENTS, familiesOf, inFamily, isIpv6, NODES } from "./families.ts";
import { type HostQuestion, hostVerdict, type Interface, ownNodeVerdict } from "./hosts.ts";
import type { Direction, Packet, Pod, World } from "./objects.ts";
import { randomWorld } from "./random-world.ts";
import { withoutSourcePorts } from "./without-source-ports.ts";

const WORLDS = 100;
const PORTS = [22, 80, 443, 8080];
type NodeName = keyof typeof NODES;
const NAMES = Object.keys(NODES) as NodeName[];

/** An end of a packet: on a node, unless it is outside; with a pod, unless it is the node itself. */
interface Place {
  address: string;
  node?: NodeName;
  pod?: Pod;
}

/** The world as a stack declares it, each node with a pod in its network. */
function askerOf(world: World) {
  const { pods, nodes: _, endpointSlices: __, egressGateways: ___, ...rest } = world;
  const written = Object.entries(rest).flatMap(([name, list]) => {
    const { kind } = kinds[name as KindName];
    const apiVersion = apiVersionOf(kinds[name as KindName]);
    return (list as object[]).map((item) => ({ apiVersion, kind, ...item }));
  });
  const podOf = (name: string, metadata: object, spec: object) => ({
    ...{ apiVersion: "v1", kind: "Pod", metadata: { name, namespace: "x", ...metadata }, spec },
  });
  const ofNodes = NAMES.map((nodeName) =>
    podOf(`host-${nodeName}`, {}, { nodeName, hostNetwork: true, containers: [] }),
  );
  const ofPods = pods.map(({ metadata, spec }) => podOf(metadata.name, metadata, spec));
  const [family = "IPv4"] = familiesOf(world);
  const cast = castOf({
    ...{
      objects: [...written, ...ofPods, ...ofNodes],
      clients: [],
      keepsSource: true,
      nameService: false,
      wraps: "never",
    },
    nodes: NAMES.map((name) => ({ name, address: inFamily(NODES[name], family) })),
    pools: [inFamily("10.244.0.0/16", family)],
  });
  const workloadOf = ({ pod, node }: Place) => {
    const name = pod?.metadata.name ?? `host-${node}`;
    const found = cast.workloads.find((one) => one.name === name);
    if (!found) throw new Error(`no workload is called ${name}`);
    return found;
  };
  const ask = reachabilityOf(cast);
  return (from: Place, to: Place, port: number) => {
    const peer: Peer = from.node
      ? { kind: "workload", workload: workloadOf(from) }
      : { kind: "address", address: from.address };
    return ask(peer, { workload: workloadOf(to), protocol: "TCP", port });
  };
}

/** The interfaces of a node as a preview knows them: those that its host endpoints name, or one with all its addresses. */
function interfacesOf({ hostEndpoints }: World, node: NodeName, own: string): Interface[] {
  const named = hostEndpoints
    .filter(({ spec }) => spec.node === node && spec.interfaceName !== "*")
    .map(({ metadata, spec: { interfaceName, expectedIPs = [] } }) => ({
      name: interfaceName ?? metadata.name,
      addresses: expectedIPs.length > 0 ? expectedIPs : [own],
    }));
  return named.length > 0 ? named : [{ name: "others", addresses: [own] }];
}

/** What may become of a packet, by whichever interfaces it goes. */
function outcomes(world: World, from: Place, to: Place, packet: Packet): ReadonlySet<Verdict> {
  const atPods = [
    from.pod && podVerdict(world, podEntity(world, from.pod), "egress", packet),
    to.pod && podVerdict(world, podEntity(world, to.pod), "ingress", packet),
  ];
  if (from.node !== undefined && from.node === to.node) {
    if (!from.pod) return new Set(["allow"]);
    if (!to.pod) return new Set([ownNodeVerdict(world, packet, PRODUCT_FAILSAFES)]);
    return new Set([atPods.includes("deny") ? "deny" : "allow"]);
  }
  const atHost = ({ node, pod, address }: Place, direction: Direction): Verdict[] => {
    if (node === undefined) return ["allow"];
    const way: HostQuestion["way"] = pod ? "forwarded" : "own";
    const own = pod ? inFamily(NODES[node], isIpv6(address) ? "IPv6" : "IPv4") : address;
    return interfacesOf(world, node, own).map((at) =>
      hostVerdict(world, { node, interface: at, direction, way, packet }, PRODUCT_FAILSAFES),
    );
  };
  const departures = atHost(from, "egress");
  const arrivals = atHost(to, "ingress");
  return new Set(
    departures.flatMap((departure) =>
      arrivals.map((arrival) => ([...atPods, departure, arrival].includes("deny") ? "deny" : "allow")),
    ),
  );
}

function placesOf(world: World): { senders: Place[]; receivers: Place[] } {
  const [family = "IPv4"] = familiesOf(world);
  const pods = world.pods.map((pod) => ({
    ...{ pod, node: pod.spec.nodeName as NodeName },
    address: pod.status.podIPs.find(({ ip }) => isIpv6(ip) === (family === "IPv6"))?.ip ?? "",
  }));
  const nodes = NAMES.map((node) => ({ node, address: inFamily(NODES[node], family) }));
  const clients = CLIENTS.slice(0, 3).map((address) => ({ address: inFamily(address, family) }));
  // What a pod sends to its own node is asked of `master` alone.
  return { senders: [...pods, ...nodes, ...clients], receivers: [...pods, ...nodes] };
}

test("the table's certain answers are those of the documentation, by whichever interface a packet goes", () => {
  const said = { right: 0, open: 0, atHosts: 0 };
  fc.assert(
    fc.property(randomWorld, (whole) => {
      const world = withoutSourcePorts(followed(whole));
      const ask = askerOf(world);
      const { senders, receivers } = placesOf(world);
      for (const from of senders) {
        for (const to of receivers) {
          if (from.address === to.address || (from.pod && !to.pod && from.node === to.node && to.node !== "master"))
            continue;
          for (const destinationPort of PORTS) {
            const ends = { source: from.address, destination: to.address };
            const packet = { ...ends, protocol: 6, sourcePort: 40_000, destinationPort };
            const { verdict, policies } = ask(from, to, destinationPort);
            if (verdict === "depends") {
              said.open++;
              continue;
            }
            said.right++;
            const model = [...outcomes(world, from, to, packet)];
            if (verdict === "dropped" && (!from.pod || !to.pod)) said.atHosts++;
            const words = `${from.address} -> ${to.address}:${destinationPort}, by ${policies}\n${worldInWords(world)}\n`;
            expect(model, words).toEqual([verdict === "dropped" ? "deny" : "allow"]);
          }
        }
      }
    }),
    { numRuns: WORLDS, seed: Number(process.env.SEED || 20_261_130) },
  );
  console.log(`certain ${said.right}, of them ${said.atHosts} dropped at or towards hosts; open ${said.open}`);
  expect(said.right).toBeGreaterThan(2 * said.open);
  expect(said.atHosts).toBeGreaterThan(1000);
});
