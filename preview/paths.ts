import { annotatedReturnMode } from "../model/service/return-mode.ts";
import type { PacketPath, Stretch } from "../report/document.ts";
import type { Place } from "../report/results/topology.ts";
import { rewritesOf } from "../report/rewrites.ts";
import type { Cluster } from "./declared/cluster.ts";
import type { Machine } from "./declared/machines.ts";
import { type Service, shortName } from "./declared/objects.ts";
import { backendsOf, type Cast } from "./reach/cast.ts";
import { askerOf, peersOf, servicePorts } from "./reach/table.ts";

/** Maximum number of services to draw; the others have the same path. */
const DRAWN = 4;

/** The path of request and reply of each service with a node port, derived from the declaration. */
export function declaredPaths(cluster: Cluster, cast: Cast): PacketPath[] {
  const open = cast.services.filter(({ spec }) => spec.ports.some(({ nodePort }) => nodePort));
  return open.slice(0, DRAWN).flatMap((service) => pathOf(cluster, cast, service) ?? []);
}

/** The parts of a path. */
interface Journey {
  mode: NonNullable<PacketPath["mode"]>;
  client: Place;
  entry: Place;
  node: Place;
  pod: Place;
  /** ADDRESS:PORT that the client connects to. */
  target: string;
  /** The pod's own address and port. */
  backend: string;
  served: boolean;
  tunnelled: boolean;
  /** The entry node is the pod's own node. */
  sameNode: boolean;
}

function pathOf(cluster: Cluster, cast: Cast, service: Service): PacketPath | undefined {
  const port = service.spec.ports.find(({ nodePort }) => nodePort);
  const [workload] = backendsOf(cast, service);
  if (!port?.nodePort || !workload || !cluster.dataplane) return undefined;
  const ask = askerOf(cast);
  const [target] = servicePorts(cast, service);
  const clients = peersOf(cast).filter(({ outside, peer }) => outside && peer.kind === "address");
  const isServed = (peer: (typeof clients)[number]) => target && ask(peer, target).verdict === "allowed";
  const caller = clients.find(isServed) ?? clients[0];
  const host = cluster.nodes.find(({ name }) => name === workload.node) ?? cluster.nodes.at(-1);
  const local = service.spec.externalTrafficPolicy === "Local";
  const entered = local ? host : (cluster.nodes.find(({ name }) => name !== host?.name) ?? host);
  const address = entered?.address ?? "ENTRY-NODE";
  const entry: Place = { name: entered?.name ?? "entry node", role: "entryNode", address };
  const sameNode = entered !== undefined && entered === host;
  const node: Place = sameNode ? entry : { name: host?.name ?? "the pod's node", role: "node", address: host?.address };
  const from = caller?.peer.kind === "address" ? caller.peer.address : "CLIENT";
  return assemble({
    mode: modeOf(cluster.dataplane, service),
    client: { name: caller?.name ?? "client", role: "client", address: from },
    entry,
    node,
    pod: { name: shortName(workload), role: "pod", on: node.name },
    target: `${address}:${port.nodePort}`,
    backend: `pod ${shortName(workload)}:${port.targetPort ?? port.port}`,
    served: caller === undefined || isServed(caller) === true,
    tunnelled: isTunnelled(cluster, entered, host),
    sameNode,
  });
}

function modeOf(
  { serviceHandling, returnMode }: NonNullable<Cluster["dataplane"]>,
  { annotations }: Service,
): NonNullable<PacketPath["mode"]> {
  if (serviceHandling !== "Ebpf") return serviceHandling;
  return (annotatedReturnMode(annotations) ?? returnMode) === "DSR" ? "EbpfDsr" : "EbpfTunnel";
}

/** Whether pods' packets between two nodes are encapsulated: our own service forwarding always is. */
function isTunnelled({ dataplane }: Cluster, one?: Machine, other?: Machine): boolean {
  if (dataplane?.serviceHandling === "Ebpf") return true;
  const mode = dataplane?.pools[0]?.mode ?? "CrossSubnet";
  if (mode !== "CrossSubnet") return mode === "Always";
  return one?.instance?.zone !== other?.instance?.zone;
}

const BASIS = "declared";

function assemble(journey: Journey): PacketPath {
  const { mode, client, entry, node, pod, target, served, sameNode } = journey;
  const places = [client, entry, ...(sameNode ? [] : [node]), pod];
  const stretches = [...requestOf(journey), ...(served ? replyOf(journey) : [])];
  const direct = mode === "EbpfDsr";
  const reply = sameNode ? "onEntryNode" : direct ? "direct" : "viaEntryNode";
  return {
    mode,
    client: client.name,
    target,
    served,
    ...(served && { reply }),
    captured: false,
    places,
    stretches,
    rewrites: rewritesOf(stretches, places),
  };
}

function requestOf({
  mode,
  client,
  entry,
  node,
  pod,
  target,
  backend,
  served,
  tunnelled,
  sameNode,
}: Journey): Stretch[] {
  const from = client.address ?? client.name;
  const isProxy = mode.startsWith("KubeProxy");
  const masked = isProxy ? (entry.address ?? entry.name) : from;
  const between = { source: masked, destination: isProxy ? backend : target };
  const wrapped = tunnelled && { wrapped: outer(entry, node) };
  return [
    { direction: "request", from: client.name, to: entry.name, source: from, destination: target, basis: BASIS },
    ...(sameNode
      ? []
      : [{ direction: "request" as const, from: entry.name, to: node.name, ...between, ...wrapped, basis: BASIS }]),
    ...(served
      ? [
          {
            direction: "request" as const,
            from: node.name,
            to: pod.name,
            source: masked,
            destination: backend,
            basis: BASIS,
          },
        ]
      : []),
  ];
}

function replyOf({ mode, client, entry, node, pod, target, backend, tunnelled, sameNode }: Journey): Stretch[] {
  const to = client.address ?? client.name;
  const reply = { direction: "reply" as const, basis: BASIS };
  const isProxy = mode.startsWith("KubeProxy");
  const seen = isProxy ? (entry.address ?? entry.name) : to;
  const first = { ...reply, from: pod.name, to: node.name, source: backend, destination: seen };
  const last = { ...reply, to: client.name, source: target, destination: to };
  if (sameNode || mode === "EbpfDsr") return [first, { ...last, from: node.name }];
  const back = isProxy ? { source: backend, destination: seen } : { source: target, destination: to };
  const wrapped = tunnelled && { wrapped: outer(node, entry) };
  return [first, { ...reply, from: node.name, to: entry.name, ...back, ...wrapped }, { ...last, from: entry.name }];
}

function outer(from: Place, to: Place) {
  return { source: from.address ?? from.name, destination: to.address ?? to.name };
}
