import type { PacketPath, Stretch } from "./document.ts";
import type { ComparedModeResult, Comparison } from "./results/compare.ts";
import type { Path, Place, Topology } from "./results/topology.ts";
import type { Row, Seen, VerificationResult } from "./results/verification.ts";
import { hostOf, rewritesOf } from "./rewrites.ts";

/**
 * The path of request and reply in each mode: as captured, otherwise derived from the client's socket, the server's log
 * and the capture on the entry node; each segment has its evidence, or nothing if it was not observed.
 */
export function packetPathsOf(verification?: VerificationResult, compare?: Comparison): PacketPath[] {
  const deployed = verification?.topology
    ? captured(verification.topology)
    : pieced(verification?.rows.flatMap(pathOfRow).slice(0, 1));
  const compared = (compare?.modes ?? []).flatMap((mode) => {
    const seen = captured(compare?.topology).find((path) => path.mode === mode.mode);
    return seen ? [seen] : compare ? pieced(pathOfMode(mode, compare, verification)) : [];
  });
  // Without a comparison there is only the path as deployed; with it, the deployed mode is one of those compared.
  return compared.length > 0 ? compared : deployed;
}

/** One path per mode: the first that was served, because it has a reply, else the first. */
function captured(topology: Topology | undefined): PacketPath[] {
  const byMode = Map.groupBy(topology?.paths ?? [], ({ mode }) => mode);
  return [...byMode.values()].flatMap((paths) => {
    const path = paths.find(({ served }) => served) ?? paths[0];
    return path && topology ? [fromPath(path, topology.places)] : [];
  });
}

function fromPath({ mode, client, target, served, legs }: Path, places: Place[]): PacketPath {
  const stretches = legs.map(({ evidence, ...leg }) => ({ ...leg, basis: evidence ?? "captured" }));
  const on = new Set(legs.flatMap(({ from, to }) => [from, to]));
  const passed = places.filter(({ name }) => on.has(name) || places.some((pod) => pod.on === name && on.has(pod.name)));
  const entry = passed.find(({ role }) => role === "entryNode")?.name;
  const replied = legs.filter(({ direction }) => direction === "reply");
  const throughEntry = replied.some(({ from, to }) => from === entry || to === entry);
  const reply = replied.length === 0 ? undefined : throughEntry ? "viaEntryNode" : "direct";
  return {
    mode,
    client,
    target,
    served,
    ...(reply && { reply }),
    captured: true,
    places: passed,
    stretches,
    rewrites: rewritesOf(stretches, passed),
  };
}

/** Facts about a connection without a capture of each segment. */
interface Known {
  mode?: PacketPath["mode"];
  client: Place;
  clientEndpoint?: string;
  target: string;
  entry: Place;
  node?: Place;
  pod: Place;
  /** The source that the server saw. */
  source?: string;
  reply?: PacketPath["reply"];
}

function pathOfRow({ from, seen = [] }: Row): Known[] {
  return seen.flatMap((facts) => {
    if (facts.verdict !== "allowed" || !facts.entryNode || !facts.server || facts.entryNode === facts.serverNode)
      return [];
    return [knownOf(from, facts, facts.entryNode, facts.server)];
  });
}

function knownOf(from: string, facts: Seen, entryNode: string, server: string): Known {
  const { clientAddress, clientPort, source, sourcePort, serverNode, reply } = facts;
  return {
    client: { name: from, role: "client", address: clientAddress },
    clientEndpoint: clientAddress && endpoint(clientAddress, clientPort),
    target: endpoint(facts.targetAddress, facts.targetPort),
    entry: { name: entryNode, role: "entryNode", address: facts.targetAddress },
    node: { name: serverNode ?? "the pod's node", role: "node" },
    pod: { name: server, role: "pod", address: facts.serverAddress, on: serverNode ?? "the pod's node" },
    source: source && endpoint(source, sourcePort),
    reply,
  };
}

function pathOfMode(mode: ComparedModeResult, compare: Comparison, verification?: VerificationResult): Known[] {
  if (mode.mode === "Direct" || !mode.replyPath) return [];
  const facts = verification?.rows.flatMap(({ from, seen = [] }) => (from === compare.client ? seen : [])) ?? [];
  const { clientAddress, entryNode, server, serverNode, serverAddress } = facts.find(({ server }) => server) ?? {};
  const target = compare.target.replace(/^\w+:\/\//, "");
  const source = mode.loggedSources.includes(clientAddress ?? "") ? clientAddress : mode.loggedSources[0];
  const node = serverNode ?? "the pod's node";
  return [
    {
      mode: mode.mode,
      client: { name: compare.client, role: "client", address: clientAddress },
      clientEndpoint: clientAddress,
      target,
      entry: { name: entryNode ?? "entry node", role: "entryNode", address: hostOf(target) },
      node: { name: node, role: "node" },
      pod: { name: server ?? "pod", role: "pod", address: serverAddress, on: node },
      source,
      reply: mode.replyPath,
    },
  ];
}

function pieced(known: Known[] = []): PacketPath[] {
  return known.map((facts) => {
    const { mode, client, clientEndpoint, target, entry, node, pod, reply } = facts;
    const places = [client, entry, ...(node ? [node] : []), pod];
    const stretches = [...requestOf(facts), ...replyOf(facts)];
    const path: PacketPath = {
      client: client.name,
      target,
      served: true,
      captured: false,
      places,
      stretches,
      rewrites: rewritesOf(withoutPorts(stretches, clientEndpoint), places),
    };
    return { ...path, ...(mode && { mode }), ...(reply && { reply }) };
  });
}

function requestOf({ client, clientEndpoint, target, entry, node, pod, source }: Known): Stretch[] {
  const last = node ?? entry;
  return [
    stretch("request", client, entry, clientEndpoint, target, "the client's socket"),
    ...(node ? [stretch("request", entry, node, undefined, undefined, "not captured")] : []),
    stretch("request", last, pod, source, pod.address, "the server's log"),
  ];
}

function replyOf({ client, clientEndpoint, target, entry, node, pod, reply }: Known): Stretch[] {
  if (!reply) return [];
  const last = node ?? entry;
  const direct = reply === "direct";
  const seen = `the client's socket takes answers from nowhere else; a capture on ${entry.name} saw ${direct ? "none" : "them"} leave there`;
  return [
    stretch("reply", pod, last, undefined, undefined, "not captured"),
    ...(node && !direct ? [stretch("reply", node, entry, undefined, undefined, "not captured")] : []),
    stretch("reply", direct ? last : entry, client, target, clientEndpoint, seen),
  ];
}

function stretch(
  direction: Stretch["direction"],
  { name: from }: Place,
  { name: to }: Place,
  source: string | undefined,
  destination: string | undefined,
  basis: string,
): Stretch {
  return { direction, from, to, ...(source && { source }), ...(destination && { destination }), basis };
}

/** Where a log has no ports, a difference of ports must not be taken for a rewrite. */
function withoutPorts(stretches: Stretch[], example: string | undefined): Stretch[] {
  const whole = stretches.every(({ source }) => source === undefined || /:\d+$/.test(source)) && example?.includes(":");
  if (whole) return stretches;
  return stretches.map((each) => ({ ...each, ...(each.source && { source: hostOf(each.source) }) }));
}

function endpoint(address: string, port: number | undefined): string {
  if (port === undefined) return address;
  return address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`;
}
