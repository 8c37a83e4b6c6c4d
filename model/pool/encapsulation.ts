import { type Address, type Family, familyOf } from "../address/address.ts";
import type { IpPool } from "../objects/calico.ts";
import { isForLoadBalancers } from "./uses.ts";

export type EncapsulationMode = "Always" | "CrossSubnet" | "Never";

/** The encapsulation of packets to another node's pods, if they are wrapped. */
export type Encapsulation = "VXLAN" | "IPIP";

/** Bytes of the outer headers. IPIP adds an IP header (RFC 2003); VXLAN Ethernet 14, IP 20 or 40, UDP 8, VXLAN 8 (RFC 7348).
 * @param outer the family of the nodes' addresses */
export function overheadOf(encapsulation: Encapsulation, outer: Family): number {
  if (encapsulation === "IPIP") return 20;
  return outer === "IPv4" ? 50 : 70;
}

/** Bytes that WireGuard adds to a wrapped packet: IP 20 or 40, UDP 8, its own header 16, authentication 16. */
function overheadOfEncryption(outer: Family): number {
  return outer === "IPv4" ? 60 : 80;
}

/** WireGuard pads packets to a multiple of this; otherwise full packets would be fragmented. */
const FILLED_TO = 16;

/** Bytes of a wrapped packet that still fits the link once it is encrypted. @param mtu the link's; @param outer of the nodes' addresses */
export function mtuWithinEncryption(mtu: number, outer: Family): number {
  const room = mtu - overheadOfEncryption(outer);
  return room - (room % FILLED_TO);
}

/** Whether packets between pods of different nodes travel in a tunnel. @param pools the modes of all, in force */
export function wrapsOf(pools: Iterable<EncapsulationMode>): "always" | "sometimes" | "never" {
  const modes = new Set(pools);
  const [mode] = modes;
  if (modes.size !== 1 || mode === "CrossSubnet") return "sometimes";
  return mode === "Always" ? "always" : "never";
}

/** What is asked of a pool here. */
export interface Encapsulating {
  readonly spec: Pick<IpPool["spec"], "vxlanMode" | "ipipMode" | "allowedUses">;
}

/** Packets from pods to egress gateways are wrapped as if their pool required it. */
export const TO_GATEWAYS: Encapsulating = { spec: { vxlanMode: "Always" } };

/** What a pool says: at most one of the two modes is not Never. */
export function encapsulationOf({ spec: { vxlanMode, ipipMode } }: Encapsulating): {
  readonly encapsulation: Encapsulation;
  readonly mode: EncapsulationMode;
} {
  if (ipipMode && ipipMode !== "Never") return { encapsulation: "IPIP", mode: ipipMode };
  return { encapsulation: "VXLAN", mode: vxlanMode ?? "CrossSubnet" };
}

/** IPIP is of IPv4 alone: between nodes without an IPv4 address the pool's packets travel in VXLAN. */
export function encapsulationFor(pool: Encapsulating, node: Address): Encapsulation {
  return familyOf(node) === "IPv6" ? "VXLAN" : encapsulationOf(pool).encapsulation;
}

/** Whether packets to pods of the pool are wrapped, or would be if a node in another subnet joined. */
function canBeWrapped(pool: Encapsulating): boolean {
  return !isForLoadBalancers(pool) && encapsulationOf(pool).mode !== "Never";
}

/** Bytes that a pod's interface reserves for the headers of an encapsulation: pods of any pool send to those of each. @param outer the
 * family of the nodes' addresses */
export function encapsulationOverhead(pools: readonly Encapsulating[], outer: Family): number {
  const wrapped = pools.filter(canBeWrapped).map((pool) => encapsulationOf(pool).encapsulation);
  return Math.max(0, ...wrapped.map((encapsulation) => overheadOf(outer === "IPv6" ? "VXLAN" : encapsulation, outer)));
}

const WHERE = { Always: "to every node", CrossSubnet: "to nodes of other subnets" };

/** "in VXLAN to nodes of other subnets" */
export function wrappingText(pool: Encapsulating): string {
  const { encapsulation, mode } = encapsulationOf(pool);
  if (mode === "Never") return "not wrapped";
  const others = encapsulation === "IPIP" ? "; of Services and of nodes themselves in VXLAN" : "";
  return `in ${encapsulation} ${WHERE[mode]}${others}`;
}
