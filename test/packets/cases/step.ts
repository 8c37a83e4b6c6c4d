// Packet tests are data: packets in, and the expected result of each.
import type { Family } from "../../../model/address/address.ts";
import type { Policy } from "../../model/network-policy.ts";
import { backendAddress, type Egress, localPods, nodes } from "../cluster.ts";
import { type Extension, ethernet, frame, ip, ipip, type Transport, vxlan } from "../frames.ts";
import type { HostPolicies } from "../hosts.ts";
import { type Handling, type Meeting, type Met, type NodeUnderTest, neighbours, podMacs } from "../node.ts";
import { inFamily } from "../twins.ts";

export interface Step extends Meeting {
  /** Bytes are of one family; a function makes the frame in either. */
  readonly frame: Uint8Array | ((node: NodeUnderTest, family: Family) => Uint8Array);
  /** Wrapped: what the kernel's device would make of it, if the program leaves that to the device. */
  readonly unwrapped?: (node: NodeUnderTest, family: Family) => { frame: Uint8Array; tunnel: Meeting["tunnel"] };
  /** For what the stack hands on: the interface it came in by. */
  readonly through?: string;
  /** The policies from this packet on; those of the small cluster before. */
  readonly policies?: readonly Policy[];
  /** Calico's beside them, with the same default. */
  readonly calicoPolicies?: readonly object[];
  /** How pods leave the cluster, from this packet on; the policies are those of the small cluster then. */
  readonly egress?: Egress;
  /** Where node ports answer from this packet on: networks; everywhere before. */
  readonly nodePortAddresses?: string;
  /** Whether what is wrapped is encrypted from this packet on; not before. */
  readonly encryption?: Handling["encryption"];
  /** The policies of the node itself from this packet on; none before. */
  readonly hosts?: HostPolicies;
  /** The expected line of inWords(). */
  readonly becomes: string | RegExp;
}

/** The bytes of a step's frame. */
export function bytesOf({ frame }: Pick<Step, "frame">, node: NodeUnderTest, family: Family = "IPv4"): Uint8Array {
  return typeof frame === "function" ? frame(node, family) : frame;
}

/** Passes a step's packet to its program. */
export function meet(node: NodeUnderTest, step: Step, family: Family = "IPv4"): Met {
  const { frame: _, ...meeting } = step;
  return node.meet(bytesOf(step, node, family), meeting);
}

export interface PacketTest {
  readonly say: string;
  /** Default: both, if every frame can be made in both. Addresses are written as in IPv4. */
  readonly family?: Family;
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
  readonly tos?: number;
  readonly extensions?: readonly Extension[];
}

/** The same ends in IPv6: the twins of their addresses. */
export function of(ends: Ends, family: Family): Ends {
  return { ...ends, source: inFamily(ends.source, family), destination: inFamily(ends.destination, family) };
}

/** From outside, in a frame of `by`. The hardware address is the sender's where the uplink knows it. */
export function arrives(ends: Ends & { by?: string }, transport: Transport, becomes: Step["becomes"]): Step {
  const source = neighbours[ends.by ?? ends.source];
  return {
    program: "from_uplink",
    at: "uplink",
    frame: (_, family) => frame(of(ends, family), transport, source ? { source } : {}),
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
  return {
    program: "from_workload",
    at: pod,
    frame: (_, family) => frame(of({ source, ...rest }, family), transport, podFrame(pod)),
    becomes,
  };
}

/** What the host's stack hands to a pod. `from`: the interface it came in by; none: the host made it. */
export function handed(pod: string, ends: Ends, transport: Transport, becomes: Step["becomes"]): Step {
  return { program: "to_workload", at: pod, frame: (_, family) => frame(of(ends, family), transport), becomes };
}

/** What the host's stack sends out of the uplink. */
export function leaves(ends: Ends, transport: Transport, becomes: Step["becomes"]): Step {
  return { program: "to_uplink", at: "uplink", frame: (_, family) => frame(of(ends, family), transport), becomes };
}

/** What the host's stack sends into the tunnel device. */
export function enters(ends: Ends, transport: Transport, becomes: Step["becomes"]): Step {
  return { program: "to_tunnel", at: "tunnel", frame: (_, family) => frame(of(ends, family), transport), becomes };
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

export function numbersOf(
  { kind, for: backend }: Wrapping,
  node: NodeUnderTest,
  family: Family = "IPv4",
): { vni: number; group: number } {
  const id = backend ? node.backendId(inFamily(backendAddress(backend), family)) : 0;
  return { vni: kind === "overlay" ? 4096 : ((KIND[kind] << 22) | (id >>> 10)) >>> 0, group: id & 0x3ff };
}

/** Arrives wrapped on the uplink. */
export function arrivesWrapped(wrapping: Wrapping, ends: Ends, transport: Transport, becomes: Step["becomes"]): Step {
  const from = wrapping.node ?? nodes.node;
  return {
    program: "from_uplink",
    at: "uplink",
    unwrapped: (node, family) => ({
      frame: frame(of(ends, family), transport),
      tunnel: { node: from, ...numbersOf(wrapping, node, family) },
    }),
    frame: (node, family) => {
      const { vni, group } = numbersOf(wrapping, node, family);
      const [inner, outer] = [of(ends, family), { source: from, destination: wrapping.to ?? nodes.master }];
      const isIpip = wrapping.kind === "overlay" && node.encapsulation === "IPIP";
      return ethernet(
        isIpip
          ? ip({ ...outer, fragment: 0x4000 }, ipip(ip(inner, transport)))
          : ip(outer, vxlan(50000, vni, group, frame(inner, transport))),
        0x0800,
        {
          ...(neighbours[from] && { source: neighbours[from] }),
        },
      );
    },
    becomes,
  };
}

/** The same when the connection's cached next hop has expired. */
export function later(step: Step): Step {
  const frame = (node: NodeUnderTest, family: Family) => {
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 150);
    return bytesOf(step, node, family);
  };
  return { ...step, frame };
}

/** A packet that a frame carries, for ICMP errors about it; cut to `length` bytes, and in IPv6 to as many more as its header has. */
export function about(ends: Ends, transport: Transport, length = 28): (family: Family) => Uint8Array {
  return (family) => ip(of(ends, family), transport).subarray(0, family === "IPv6" ? length + 20 : length);
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
