import { randomBytes } from "node:crypto";
import type { V1Pod } from "@kubernetes/client-node";
import { expectationOf } from "../../components/documents/check.ts";
import { familyOf } from "../../model/address/address.ts";
import type { AttemptResult } from "../../probe/batch.ts";
import type { CapturedPacket } from "../../probe/capture.ts";
import type { Path, Place, Topology } from "../../report/results/topology.ts";
import { type Capture, sendNow } from "../actors/actor.ts";
import { type ClusterView, nodeAddresses, podAddresses, podName, referenceOf } from "../cluster/view.ts";
import { podsOf, servicesOf } from "../engine/behind.ts";
import { addressTowards, machineAddresses } from "../engine/lookup.ts";
import { type Plan, planExpectation } from "../engine/plan.ts";
import { readServerLogs } from "../engine/server-log.ts";
import type { World } from "../engine/world.ts";
import { legsOf, type Witnessed } from "./legs.ts";

/** The connection to follow. */
export interface Followed {
  /** What handles services now. */
  mode: Path["mode"];
  /** A machine outside the cluster. */
  client: string;
  /** `tcp://HOST:PORT`. */
  to: string;
}

/** More pods than this are not watched for one connection. */
const mostPods = 4;

type Ends = Pick<Followed, "client" | "to">;

function planOf(view: ClusterView, { client, to }: Ends, token: string): Plan {
  return planExpectation(view, expectationOf({ from: client, to, verdict: "allowed", source: client }), () => token);
}

/** Whether a Service answers there. */
export function leadsToService(view: ClusterView, ends: Ends): boolean {
  const plan = planOf(view, ends, "");
  const [probe] = plan.probes;
  return probe !== undefined && servicesOf(view, plan, { id: probe.probe.id, attempt: 1, verdict: "none" }).length > 0;
}

/** The first two packets of TCP connections of both address families, plain and inside VXLAN (UDP 4789: after 8 bytes of UDP's header
 * and 8 of its own an Ethernet and an IP header; 6 is TCP, 2 its SYN). */
const opening = [
  "(tcp[tcpflags] & tcp-syn != 0)",
  "(ip6[6] = 6 and ip6[53] & 2 != 0)",
  "(udp dst port 4789 and udp[28:2] = 0x0800 and udp[39] = 6 and udp[63] & 2 != 0)",
  "(udp dst port 4789 and udp[28:2] = 0x86dd and udp[36] = 6 and udp[83] & 2 != 0)",
].join(" or ");

/**
 * Sends one connection from a client and captures it on the client, on every node that it can pass, and in the pods that can
 * answer: the addresses on each leg come from captured packets, not from reports.
 *
 * @throws Error, in words, when it cannot be followed
 */
export async function follow(world: World, { mode, client, to }: Followed): Promise<Topology> {
  const started = world.clock.now();
  const view = await world.view();
  const token = randomBytes(6).toString("hex");
  const plan = planOf(view, { client, to }, token);
  const probe = plan.probes[0]?.probe;
  if (!probe) throw new Error(plan.notYet ?? `${client} has no address to connect to at ${to}`);
  const target = { address: probe.host, port: probe.port };
  const candidates = podsOf(view, plan, { id: token, attempt: 1, verdict: "none" });
  if (candidates.length > mostPods)
    throw new Error(`${candidates.length} pods can answer at ${to}, and at most ${mostPods} are watched`);

  const watches = watchesOf(world, view, client, target.address, candidates);
  const captures = await openAll(watches);
  let results: AttemptResult[] = [];
  let packets: CapturedPacket[][] = [];
  try {
    results = await sendNow(world.machine(client), [probe]);
  } finally {
    packets = await Promise.all(captures.map((capture) => capture.stop()));
  }
  const witnessed = watches.map(({ place }, index): Witnessed => ({ place, packets: packets[index] ?? [] }));
  const [result] = results;
  const logs = await readServerLogs(world, view, result ? [{ plan, result }] : [], started);
  const logged = logs.lines.get(`${token}.1`)?.line;
  return topologyOf(witnessed, {
    mode,
    client,
    target: authority(target.address, target.port),
    served: result?.verdict === "allowed",
    ...(logged && { logged }),
  });
}

/** The places that the connection passed, and its path. */
function topologyOf(witnessed: Witnessed[], path: Omit<Path, "legs">): Topology {
  const number = openingOf(witnessed, path);
  const legs = number === undefined ? [] : legsOf(witnessed, number);
  const names = new Set(legs.flatMap(({ from, to }) => [from, to]));
  return {
    places: witnessed.map(({ place }) => place).filter(({ name, role }) => role === "entryNode" || names.has(name)),
    paths: [{ ...path, legs }],
  };
}

/** `172.31.1.8:30604` or `[fd00::8]:30604`. */
const authority = (address: string, port: number): string =>
  familyOf(address) === "IPv6" ? `[${address}]:${port}` : `${address}:${port}`;

/** The client's own capture names the connection. */
function openingOf(witnessed: Witnessed[], { target }: Pick<Path, "target">): number | undefined {
  const sent = witnessed.find(({ place }) => place.role === "client")?.packets ?? [];
  const first = sent.find(
    ({ direction, opening, destination, destinationPort }) =>
      direction === "out" && opening?.answer === false && authority(destination, destinationPort) === target,
  );
  return first?.opening?.number;
}

interface Watch {
  place: Place;
  open: () => Promise<Capture>;
}

function watchesOf(world: World, view: ClusterView, client: string, target: string, pods: V1Pod[]): Watch[] {
  const entry = view.nodes.find((node) => nodeAddresses(node).includes(target))?.metadata?.name;
  const nodes = [...new Set([...(entry ? [entry] : []), ...pods.flatMap(({ spec }) => spec?.nodeName ?? [])])];
  const itself = world.machines.find(({ name }) => name === client);
  const clientAddress = itself && addressTowards(target, machineAddresses(itself));
  return [
    {
      place: { name: client, role: "client", ...(clientAddress && { address: clientAddress }) },
      open: () => world.machine(client).capture(opening),
    },
    ...nodes.map((name): Watch => {
      const own = view.nodes.filter(({ metadata }) => metadata?.name === name).flatMap(nodeAddresses);
      const address = addressTowards(target, own) ?? own[0];
      const role = name === entry ? "entryNode" : "node";
      return {
        place: { name, role, ...(address && { address }) },
        open: () => world.node(name).capture(opening),
      };
    }),
    // A pod in its node's own network is its node.
    ...pods
      .filter(({ spec }) => !spec?.hostNetwork)
      .map((pod): Watch => {
        const address = addressTowards(target, podAddresses(pod));
        const on = pod.spec?.nodeName ?? "";
        return {
          place: { name: podName(pod), role: "pod", ...(address && { address }), on },
          open: () => world.node(on).capture(opening, referenceOf(pod)),
        };
      }),
  ];
}

/** All or none: if one capture does not start, the others are ended. */
async function openAll(watches: Watch[]): Promise<Capture[]> {
  const opened = await Promise.allSettled(watches.map(({ open }) => open()));
  const captures = opened.flatMap((one) => (one.status === "fulfilled" ? one.value : []));
  const failed = opened.find((one) => one.status === "rejected");
  if (!failed) return captures;
  await Promise.allSettled(captures.map((capture) => capture.stop()));
  throw failed.reason as Error;
}

/** One topology out of several: each place once, every path. */
export function merged(topologies: Topology[]): Topology {
  const places = new Map(topologies.flatMap(({ places }) => places).map((place) => [place.name, place]));
  return { places: [...places.values()], paths: topologies.flatMap(({ paths }) => paths) };
}
