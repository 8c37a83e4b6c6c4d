// What host endpoints should show of a row, by the evaluator of test/model: where a packet leaves a node, comes in at one, and is passed on. Nodes are in one subnet, so only
// what a node sends on for a Service travels in the tunnel. What sockets of nodes and pods send to node ports goes to the backends at once.
import { PRODUCT_FAILSAFES } from "../model/calico/comparison.ts";
import { podEntity } from "../model/calico/entities.ts";
import { podVerdict } from "../model/calico/evaluate.ts";
import { egressToOwnNode, type Failsafe, type HostQuestion, hostVerdict } from "../model/calico/hosts.ts";
import type { Direction, Packet, Pod, World } from "../model/calico/objects.ts";

export const NODES: Readonly<Record<string, string>> = { master: "172.31.1.8", node: "172.31.1.207" };

/** Who sends: a process of a node, a pod, or (neither) a machine outside. */
export interface Sender {
  readonly process?: string | undefined;
  readonly pod?: Pod | undefined;
}

export interface Asked {
  /** After translation. */
  readonly packet: Packet;
  readonly written: { readonly destination: string; readonly destinationPort: number };
  /** The receiver. */
  readonly pod?: Pod | undefined;
}

interface Configured {
  failsafeInboundHostPorts?: { protocol: string; port: number; net?: string }[];
  failsafeOutboundHostPorts?: { protocol: string; port: number; net?: string }[];
}

export function passesHosts(world: World, sender: Sender, { packet, written, pod }: Asked): boolean {
  const failsafes = failsafesOf(world);
  const passes = (
    node: string,
    direction: Direction,
    way: HostQuestion["way"],
    at: "eth0" | "tunnel" | "wrapped",
    used = written,
  ) => {
    const place = at === "tunnel" ? { name: at, addresses: [] } : { name: "eth0", addresses: [NODES[node] ?? ""] };
    const question = {
      node,
      interface: place,
      direction,
      way,
      packet,
      ...(used !== NOT_WRITTEN && { written: used }),
    };
    // Nothing is asked before translation about what came wrapped from the entry node.
    return hostVerdict(at === "eth0" ? world : normal(world), question, failsafes) === "allow";
  };
  const from = sender.process ?? sender.pod?.spec.nodeName;
  const entry = nodeAt(written.destination);
  const isTranslated = pod !== undefined && entry !== undefined;
  const to = pod?.spec.nodeName ?? entry;
  if (sender.process !== undefined && from === to) return true;
  if (sender.pod) {
    if (!pod && from === to) return egressToOwnNode(world, packet) === "allow";
    if (podVerdict(world, podEntity(world, sender.pod), "egress", packet) !== "allow") return false;
  }
  const way = sender.process === undefined ? "forwarded" : "own";
  if (from !== undefined && from !== to && !passes(from, "egress", way, "eth0", NOT_WRITTEN)) return false;
  if (from === undefined && isTranslated) {
    if (!passes(entry, "ingress", "forwarded", "eth0")) return false;
    if (entry !== to && !passes(entry, "egress", "forwarded", "tunnel", NOT_WRITTEN)) return false;
    // The backend's node judges a client as where its own clients come in.
    if (entry !== to && !passes(to as string, "ingress", "forwarded", "wrapped", NOT_WRITTEN)) return false;
  } else if (to !== undefined && from !== to && !passes(to, "ingress", pod ? "forwarded" : "own", "eth0", NOT_WRITTEN))
    return false;
  return !pod || podVerdict(world, podEntity(world, pod), "ingress", packet) === "allow";
}

const NOT_WRITTEN = { destination: "", destinationPort: 0 };

const nodeAt = (address: string) => Object.entries(NODES).find(([, own]) => own === address)?.[0];

function normal(world: World): World {
  const globalNetworkPolicies = world.globalNetworkPolicies.filter(({ spec }) => !spec.preDNAT && !spec.doNotTrack);
  return { ...world, globalNetworkPolicies };
}

function failsafesOf({ felixConfigurations: [configuration] }: World): Record<Direction, readonly Failsafe[]> {
  const { failsafeInboundHostPorts, failsafeOutboundHostPorts } = (configuration?.spec ?? {}) as Configured;
  const read = (list: Configured["failsafeInboundHostPorts"]) =>
    list?.map(({ protocol, ...rest }): Failsafe => ({ protocol: protocol === "TCP" ? 6 : 17, ...rest }));
  return {
    ingress: read(failsafeInboundHostPorts) ?? PRODUCT_FAILSAFES.ingress,
    egress: read(failsafeOutboundHostPorts) ?? PRODUCT_FAILSAFES.egress,
  };
}
