// Packets in packets: what a node's program has taken off, and what it has put around.
import { localPods, nodes } from "../packets/cluster.ts";
import type { Handling, Meeting, NodeUnderTest } from "../packets/node.ts";
import { readIpip, readVxlan } from "../packets/reading.ts";
import { type Seen, type SeenFrame, seen } from "./model/seen.ts";
import type { Arrival, TunnelKind } from "./model/sources.ts";

const KINDS: readonly TunnelKind[] = ["overlay", "forward", "forward", "return"];

/** Of bpf/plan.h: from the node's stack into the programs. */
export const MARK_OWN_REQUEST = 0xebf00005;

/** What VXLAN and IPIP add. */
const [VXLAN_HEADERS, IPIP_HEADERS] = [50, 20];
export const WRAPS = /^(to_overlay|forward_service|return_via_entry)$/;

/** Whether from_uplink removed the tunnel's headers, even if it added them again. */
export function isTakenOff({ program }: Meeting, outcome: string, grown: number): boolean {
  if (program !== "from_uplink") return false;
  const other = VXLAN_HEADERS - IPIP_HEADERS;
  return [-VXLAN_HEADERS, -IPIP_HEADERS].includes(grown) || ([-other, 0, other].includes(grown) && WRAPS.test(outcome));
}

interface Unwrapped {
  /** undefined: IPIP. */
  readonly vni: number | undefined;
  readonly ip: Seen | undefined;
}

/** What a packet wraps; undefined: nothing readable. */
export function unwrapped(outer: Seen): Unwrapped | undefined {
  const found = readVxlan(outer.raw);
  if (found) {
    const { type, ip } = found.inner;
    return { vni: found.vni, ip: ip && seen(ip, type === 0x86dd ? "IPv6" : "IPv4") };
  }
  const packet = outer.family === "IPv4" ? readIpip(outer.raw) : undefined;
  return packet && { vni: undefined, ip: seen(packet, "IPv4") };
}

/** Only what pods of IPv4 say to each other is in IPIP, and all of it where their pool says so. */
export function wrongEncapsulation(
  vni: number | undefined,
  ip: Seen,
  outcome: string,
  handling: Handling,
): string | undefined {
  const isIpip = vni === undefined;
  const mayBe = handling.encapsulation === "IPIP" && outcome === "to_overlay" && ip.family === "IPv4";
  if (isIpip && !mayBe) return `what became ${outcome} to ${ip.destination} was wrapped in IPIP`;
  if (!isIpip && mayBe && ip.destination.startsWith("10.244."))
    return `what is for ${ip.destination} was not wrapped in IPIP`;
  return undefined;
}

/** The packet as the program handled it: without outer headers, if it removed them. */
export function takenOff(
  frame: SeenFrame,
  { program, at, tunnel, mark, ingressIfindex }: Meeting,
  outcome: string,
  grown: number,
  node: NodeUnderTest,
  handling: Handling,
): { arrival: Arrival; ip: Seen } | undefined {
  const ip = frame.ip as Seen;
  if (program === "from_workload") return { arrival: { from: "pod", pod: at }, ip };
  if (program.startsWith("to_")) {
    const by = localPods.find(({ name }) => node.ifindex(name) === ingressIfindex)?.name;
    return {
      arrival: { from: "stack", by, isOwn: !ingressIfindex, handledByKubeProxy: !handling.services, to: at },
      ip,
    };
  }
  if (program === "from_tunnel" && !tunnel && mark === MARK_OWN_REQUEST) return { arrival: { from: "own" }, ip };
  if (tunnel)
    return {
      arrival: { from: "tunnel", node: tunnel.node, to: nodes.master, kind: KINDS[tunnel.vni >>> 22] ?? "overlay" },
      ip,
    };
  const wrapped = isTakenOff({ program, at }, outcome, grown) ? unwrapped(ip) : undefined;
  if (!wrapped) return { arrival: { from: "wire", mac: frame.sourceMac }, ip };
  const arrival: Arrival = {
    from: "tunnel",
    node: ip.source,
    to: ip.destination,
    kind: KINDS[(wrapped.vni ?? 0) >>> 22] ?? "overlay",
  };
  return wrapped.ip && { arrival, ip: wrapped.ip };
}
