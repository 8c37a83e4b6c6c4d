// Packet tests are data: packets in, and the expected result of each.
import type { Policy } from "../../model/network-policy.ts";
import { backendAddress, localPods, nodes } from "../cluster.ts";
import { ethernet, frame, ip, type Transport, vxlan } from "../frames.ts";
import { type Handling, type Meeting, type NodeUnderTest, neighbours, podMacs } from "../node.ts";

export interface Step extends Meeting {
  readonly frame: Uint8Array | ((node: NodeUnderTest) => Uint8Array);
  /** For what the stack hands on: the interface it came in by. */
  readonly through?: string;
  /** The policies from this packet on; those of the small cluster before. */
  readonly policies?: readonly Policy[];
  /** The expected line of inWords(). */
  readonly becomes: string | RegExp;
}

export interface PacketTest {
  readonly say: string;
  /** Default: every handling, where the step does not depend on it. */
  readonly handling?: Partial<Handling>;
  readonly steps: readonly Step[];
  /** The connections of a client's port that exist afterwards. */
  readonly known?: { readonly port: number; readonly as: readonly string[] };
  /** The test is known to fail: what is missing. */
  readonly open?: string;
}

export interface Ends {
  readonly source: string;
  readonly destination: string;
  readonly options?: Uint8Array;
  readonly fragment?: number;
  readonly ttl?: number;
}

/** From outside, in a frame of `by`. The hardware address is the sender's where the uplink knows it. */
export function arrives(ends: Ends & { by?: string }, transport: Transport, becomes: Step["becomes"]): Step {
  const source = neighbours[ends.by ?? ends.source];
  return {
    program: "from_uplink",
    at: "uplink",
    frame: frame(ends, transport, source ? { source } : {}),
    becomes,
  };
}

/** What a pod of the node under test sends; `as`: the source it claims, its own by default. */
export function sends(
  pod: string,
  to: Omit<Ends, "source"> & { as?: string },
  transport: Transport,
  becomes: Step["becomes"],
): Step {
  const { as: source = backendAddress(pod), ...rest } = to;
  return { program: "from_workload", at: pod, frame: frame({ source, ...rest }, transport, podFrame(pod)), becomes };
}

/** What the host's stack hands to a pod. `from`: the interface it came in by; none: the host made it. */
export function handed(pod: string, ends: Ends, transport: Transport, becomes: Step["becomes"]): Step {
  return { program: "to_workload", at: pod, frame: frame(ends, transport), becomes };
}

/** What the host's stack sends out of the uplink. */
export function leaves(ends: Ends, transport: Transport, becomes: Step["becomes"]): Step {
  return { program: "to_uplink", at: "uplink", frame: frame(ends, transport), becomes };
}

/** What the host's stack sends into the tunnel device. */
export function enters(ends: Ends, transport: Transport, becomes: Step["becomes"]): Step {
  return { program: "to_tunnel", at: "tunnel", frame: frame(ends, transport), becomes };
}

export type Kind = "overlay" | "forward via" | "forward direct" | "return";
const KIND: Record<Kind, number> = { overlay: 0, "forward via": 1, "forward direct": 2, return: 3 };

/** What another node wrapped; `for`: the backend that travels along. */
export interface Wrapping {
  readonly node?: string;
  readonly to?: string;
  readonly kind: Kind;
  readonly for?: string;
}

export function numbersOf({ kind, for: backend }: Wrapping, node: NodeUnderTest): { vni: number; group: number } {
  const id = backend ? node.backendId(backendAddress(backend)) : 0;
  return { vni: kind === "overlay" ? 4096 : ((KIND[kind] << 22) | (id >>> 10)) >>> 0, group: id & 0x3ff };
}

/** Arrives wrapped on the uplink. */
export function arrivesWrapped(wrapping: Wrapping, ends: Ends, transport: Transport, becomes: Step["becomes"]): Step {
  return {
    program: "from_uplink",
    at: "uplink",
    frame: (node) => {
      const { vni, group } = numbersOf(wrapping, node);
      const inner = frame(ends, transport);
      const source = wrapping.node ?? nodes.node;
      return ethernet(
        ip({ source, destination: wrapping.to ?? nodes.master }, vxlan(50000, vni, group, inner)),
        0x0800,
        {
          ...(neighbours[source] && { source: neighbours[source] }),
        },
      );
    },
    becomes,
  };
}

/** The same when the connection's cached next hop has expired. */
export function later(step: Step): Step {
  const frame = (node: NodeUnderTest) => {
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 150);
    return typeof step.frame === "function" ? step.frame(node) : step.frame;
  };
  return { ...step, frame };
}

/** A packet that a frame carries, for ICMP errors about it; cut to `length` bytes. */
export function about(ends: Ends, transport: Transport, length = 28): Uint8Array {
  return ip(ends, transport).subarray(0, length);
}

function podFrame(pod: string) {
  return { source: podMacs(pod).pod, destination: podMacs(pod).host };
}

export const addresses = Object.fromEntries(localPods.map(({ name, address }) => [name, address]));

/** Allows nothing in that direction. */
export const isolated = (app: string, way: "Ingress" | "Egress"): Policy => ({
  metadata: { name: app, namespace: "default" },
  spec: { podSelector: { matchLabels: { app } }, policyTypes: [way] },
});
