// The result for a packet, in one line that tests compare and people read.
import { addressOf } from "../../model/address/address.ts";
import { localPods, nodes } from "./cluster.ts";
import { isIpv6 } from "./frames.ts";
import { type Met, neighbours, type PacketProgram, podMacs } from "./node.ts";
import {
  faults,
  hasNoSctpChecksum,
  type Reading,
  readFrame,
  readInner,
  readIpip,
  readVxlan,
  type VxlanReading,
} from "./reading.ts";
import { isReasonFor, OWN_ANSWER, REDIRECT } from "./verdict.ts";

const KINDS = ["overlay", "forward, reply wrapped", "forward, reply direct", "return"];
const WRAPS = new Set(["to_overlay", "forward_service", "return_via_entry"]);
const PROTOCOLS: Record<number, string> = { 1: "icmp", 6: "tcp", 17: "udp", 58: "icmp", 132: "sctp" };
/** MARK_OWN_ERROR of bpf/plan.h: an error that a program made, on its way back into the uplink. */
export const OWN_ERROR = 0xebf00003;
/** Of fewer the words tell. */
const FEW_HOPS = 10;

/** @param backendOf returns the address of a backend by its id */
export function inWords(met: Met, program: PacketProgram, backendOf: (id: number) => string | undefined): string {
  const [outcome = "uncounted", ...more] = met.outcomes;
  if (more.length > 0) return `counted as ${met.outcomes.join(" and ")}`;
  if (!isReasonFor(outcome, met.action, program, met.mark)) return `${outcome}, but action ${met.action}`;
  if (/^drop_/.test(outcome)) return outcome;
  const { ip, arp, type, destinationMac, sourceMac } = readFrame(met.frame);
  if (arp && outcome === "answer_neighbour") {
    const { operation, sender, senderMac, target, targetMac } = arp;
    const consistent = operation === 2 && senderMac === sourceMac && targetMac === destinationMac;
    return `${outcome}: ${sender} is at ${senderMac}, to ${target} at ${targetMac}${consistent ? "" : ", but wrong"}`;
  }
  if (ip && outcome === "answer_neighbour") return `${outcome}: ${advertisementInWords(ip, sourceMac, destinationMac)}`;
  if (!ip) return `${outcome}: frame of type 0x${type.toString(16)}`;
  const wrapped = WRAPS.has(outcome) ? readVxlan(ip) : undefined;
  const inIpip = WRAPS.has(outcome) ? readIpip(ip) : undefined;
  const isToOwnStack = met.mark === OWN_ANSWER && outcome === "pass_to_stack";
  const place = met.action === REDIRECT ? ` ${isToOwnStack ? "by the tunnel's device" : receiver(destinationMac)}` : "";
  if (/^answer_/.test(outcome))
    return `${outcome}${met.mark === OWN_ERROR ? " along its connection" : place}: ${errorInWords(ip)}`;
  const packet = wrapped?.inner.ip
    ? `${wrapping(ip, wrapped, backendOf)}: ${packetInWords(wrapped.inner.ip)}`
    : inIpip
      ? `wrapped for ${nodeOf(ip)} (overlay, IPIP${faults(ip).map((fault) => `, but ${fault}`)}): ${packetInWords(inIpip)}`
      : packetInWords(ip);
  return `${outcome}${place}: ${packet}`;
}

/** RFC 4861, 4.4: to the one who asked, or to all, and that it overrides what hosts remember. */
function advertisementInWords(ip: Reading, from: string, to: string): string {
  const bytes = Buffer.from(ip.payload);
  const target = addressOf([...bytes.subarray(8, 24)]);
  const mac = bytes.toString("hex", 26, 32).replace(/(..)(?=.)/g, "$1:");
  const isForAll = ip.destination === "ff02::1";
  const flags = bytes.readUInt32BE(4) === (isForAll ? 0x2000_0000 : 0x6000_0000);
  const whole = bytes.length === 32 && ip.icmp?.type === 136 && bytes[24] === 2 && bytes[25] === 1 && ip.ttl === 255;
  const consistent = flags && whole && ip.source === target && mac === from && faults(ip).length === 0;
  return `${target} is at ${mac}, to ${ip.destination} at ${to}${consistent ? "" : ", but wrong"}`;
}

/** What a node answers in place of sending a packet on: time exceeded, or how much fits (RFC 1191; RFC 4443, 3.2). */
function errorInWords(ip: Reading): string {
  const of = isIpv6(ip.source) ? { expired: "3/0", tooBig: "2/0" } : { expired: "11/0", tooBig: "3/4" };
  const code = `${ip.icmp?.type}/${ip.icmp?.code}`;
  const size = Buffer.from(ip.payload).readUInt32BE(4);
  const meaning = code === of.tooBig ? `at most ${size}` : code === of.expired && size === 0 ? "time exceeded" : code;
  return `${meaning}, ${packetInWords(ip).replace("icmp ", "")}`;
}

/** @param whole false: the packet is truncated, as inside an ICMP error */
function packetInWords(ip: Reading, whole = true): string {
  const wrong = whole ? faults(ip) : [];
  const protocol = PROTOCOLS[ip.protocol] ?? `protocol ${ip.protocol}`;
  const ports = protocol === "icmp" ? undefined : ip.ports;
  const from = ports ? `:${ports.source}` : "";
  const to = ports ? `:${ports.destination}` : "";
  const inner = ip.icmp && !ip.ports ? readInner(ip) : undefined;
  const about = inner ? ` about ${packetInWords(inner, false)}` : "";
  const unsummed = whole && hasNoSctpChecksum(ip) ? ", without a checksum" : "";
  const left = whole && ip.ttl > 1 && ip.ttl < FEW_HOPS ? ` with ${ip.ttl} hops left` : "";
  return `${protocol} ${written(ip.source, ports)}${from} > ${written(ip.destination, ports)}${to}${left}${about}${wrong.map((fault) => `, but ${fault}`).join("")}${unsummed}`;
}

function written(address: string, ports: object | undefined): string {
  return ports && isIpv6(address) ? `[${address}]` : address;
}

function wrapping(outer: Reading, { vni, group }: VxlanReading, backendOf: (id: number) => string | undefined): string {
  const kind = vni >> 22;
  const node = nodeOf(outer);
  const backend = kind === 1 || kind === 2 ? backendOf(((vni << 10) | (group & 0x3ff)) >>> 0) : undefined;
  return `wrapped for ${node} (${KINDS[kind]}${backend ? `, backend ${backend}` : ""})`;
}

function nodeOf({ destination }: Reading): string {
  return Object.entries(nodes).find(([, address]) => address === destination)?.[0] ?? destination;
}

function receiver(mac: string): string {
  const pod = localPods.find(({ name }) => podMacs(name).pod === mac);
  if (pod) return `to ${pod.name}`;
  const [neighbour] = Object.entries(neighbours).find(([, known]) => known === mac) ?? [];
  return neighbour ? `to ${neighbour}` : "by the kernel's device or neighbour";
}
