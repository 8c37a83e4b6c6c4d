// A packet of a world as bytes, and where it meets the node's programs.
import { frame, query, raw, type Transport, tcp, udp } from "../../packets/frames.ts";
import type { PacketProgram } from "../../packets/node.ts";
import { sctp } from "../../packets/sctp.ts";
import type { HostQuestion } from "../calico/hosts.ts";
import type { Packet } from "../calico/objects.ts";
import { neighbourMac } from "./world-node.ts";

export interface Run {
  readonly program: PacketProgram;
  /** An interface's name, or the address of a pod at whose interface it is. */
  readonly at: string;
  /** Of what leaves the stack: by which interface it came in; absent: the node itself made it. */
  readonly through?: string;
  readonly frame: Uint8Array;
}

const [TCP, UDP, SCTP] = [6, 17, 132];
const QUERIES: Readonly<Record<number, readonly number[]>> = { 1: [8, 13, 15, 17], 58: [128, 139] };

/** Whether a pod may open a connection with it: all else is dropped whatever policies say (bpf/README.md, "Limits"). */
export function opensConnection({ protocol, icmp }: Packet): boolean {
  return icmp ? QUERIES[protocol]?.includes(icmp.type) === true : [TCP, UDP, SCTP].includes(protocol);
}

/** A packet with a pod of this node at one end or both, where it enters the node. */
export function podRun(packet: Packet, isHere: (address: string) => boolean, identifier: number): Run {
  const { source, destination } = packet;
  const transport = transportOf(packet, identifier);
  if (isHere(source)) return { program: "from_workload", at: source, frame: frame({ source, destination }, transport) };
  const macs = { source: neighbourMac(source) };
  return { program: "from_uplink", at: "eth0", frame: frame({ source, destination }, transport, macs) };
}

/** What the node itself sends to a pod of its own. */
export function fromOwnNodeRun(packet: Packet, identifier: number): Run {
  const { source, destination } = packet;
  const transport = transportOf(packet, identifier);
  return { program: "to_workload", at: destination, frame: frame({ source, destination }, transport) };
}

/** One from or to the node's own processes. */
export function hostRun({ packet, direction, interface: { name } }: HostQuestion, identifier: number): Run {
  const { source, destination } = packet;
  const transport = transportOf(packet, identifier);
  if (direction === "egress")
    return { program: "to_uplink", at: name, frame: frame({ source, destination }, transport) };
  const macs = { source: neighbourMac(source) };
  return { program: "from_uplink", at: name, frame: frame({ source, destination }, transport, macs) };
}

/** @param identifier of echoes, so that no two are of one flow */
function transportOf({ protocol, sourcePort = 0, destinationPort = 0, icmp }: Packet, identifier: number): Transport {
  if (icmp) return query(identifier, [icmp.type, icmp.code]);
  if (protocol === TCP) return tcp(sourcePort, destinationPort, "S");
  if (protocol === UDP) return udp(sourcePort, destinationPort);
  return protocol === SCTP ? sctp(sourcePort, destinationPort, "init", { asks: 1 }) : raw(protocol, new Uint8Array(8));
}
