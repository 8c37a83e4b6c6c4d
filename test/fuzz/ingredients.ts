// What packets are made of: the small cluster's addresses and ports, and foreign ones.

import { addressBytes } from "../../model/address/address.ts";
import { protocolNumbers, SCTP } from "../../model/protocol.ts";
import {
  externalAddress,
  gateway,
  guarded,
  nodes,
  outside,
  pods,
  secondAddress,
  services,
} from "../packets/cluster.ts";
import {
  type Extension,
  echo,
  extensions,
  icmpError,
  icmpv6,
  ip,
  raw,
  type Transport,
  tcp,
  udp,
} from "../packets/frames.ts";
import { type Chunk, chunks, sctp } from "../packets/sctp.ts";
import type { Flow } from "./model/flow.ts";
import type { Random } from "./random.ts";

/** Addresses that no packet on a network may come from. */
const martians = [
  nodes.master,
  secondAddress,
  ...["127.0.0.1", "127.8.8.8", "0.0.0.0", "0.1.2.3", "224.0.0.1", "239.1.1.1", "240.0.0.1", "255.255.255.255"],
];
const nobody = [
  "10.244.0.60",
  "10.244.1.60",
  "10.244.9.9",
  "10.245.0.60",
  "10.245.1.60",
  "10.245.9.9",
  "172.31.1.255",
  "8.8.8.8",
];
const others = [...Object.values(outside), nodes.node, nodes.far, gateway];
const all = pods.map(({ address }) => address);
const frontends = [...services.map(({ clusterIP }) => clusterIP), externalAddress, guarded.address];

export function someSource(random: Random): string {
  const kind = random.below(20);
  if (kind < 12) return random.of(others);
  if (kind < 16) return random.of(all);
  if (kind < 18) return random.of(martians);
  return random.of(kind === 18 ? nobody : frontends);
}

export function someDestination(random: Random): string {
  const kind = random.below(20);
  if (kind < 6) return random.of(all);
  if (kind < 10) return random.of(frontends);
  if (kind < 15) return random.of([nodes.master, nodes.master, secondAddress, nodes.node, nodes.far]);
  if (kind < 18) return random.of(others);
  return random.of(kind === 18 ? nobody : martians);
}

/** Few, so that flows meet. */
export function sourcePort(random: Random): number {
  return random.oneIn(20) ? random.below(65536) : 40000 + random.below(48);
}

export function destinationPort(random: Random): number {
  const kind = random.below(10);
  if (kind < 4) return 80;
  if (kind < 8) return random.of(services).nodePort;
  return random.of([53, 81, 4789, 0, 30999, random.below(65536)]);
}

/** To a service, at one of the places where it answers. */
export function someServiceFlow(source: string, random: Random): Flow {
  const { clusterIP, nodePort, protocol, spec, balancer } = random.of(services);
  const [external = balancer] = (spec?.externalIPs as string[] | undefined) ?? [];
  const [destination, port] = random.of<[string, number]>([
    [clusterIP, 80],
    [external ?? clusterIP, 80],
    ...[nodes.master, secondAddress, nodes.node].map((node): [string, number] => [node, nodePort]),
  ]);
  const ports = { sourcePort: sourcePort(random), destinationPort: port };
  return { source, destination, protocol: protocolNumbers[protocol], ...ports };
}

const MARKS = ["S", "S", "S", "A", "A", "PA", "SA", "F", "FA", "R", "RA", "", "FSRPAU"];

export function someTransport(random: Random): Transport {
  const payload = Buffer.alloc(random.oneIn(8) ? random.below(1300) : random.below(24), 0x61);
  const [from, to] = [sourcePort(random), destinationPort(random)];
  const kind = random.below(20);
  if (kind < 9) return tcp(from, to, random.of(MARKS), payload);
  if (kind < 15) return udp(from, to, payload, !random.oneIn(6));
  if (kind < 17) return someSctp(from, to, random);
  if (kind < 18) return echo(from, random.oneIn(2) ? "request" : "reply", payload);
  return raw(random.of([2, 4, 41, 47, 50, 58, 132, 255]), random.bytes(8 + random.below(60)));
}

const CHUNKS = Object.keys(chunks) as Chunk[];
/** Few tags, so that packets fit associations. */
const TAGS = [0, 1, 2, 3];

function someSctp(from: number, to: number, random: Random): Transport {
  const [chunk, tag, asks] = [random.oneIn(3) ? "init" : random.of(CHUNKS), random.of(TAGS), random.of(TAGS)] as const;
  return sctp(from, to, chunk, {
    tag: chunk === "init" && !random.oneIn(8) ? 0 : tag,
    asks,
    reflected: random.oneIn(4),
    payload: Buffer.alloc(random.oneIn(4) ? random.below(1200) : random.below(24), 0x63),
    checksum: random.oneIn(4) ? "absent" : "right",
  });
}

const EXTENSIONS = Object.values(extensions).filter((number) => number !== extensions.none);

/** Of IPv6: mostly those that a node reads. A fragment header follows them all (frames.ts). */
export function someExtension(random: Random): Extension {
  const protocol = random.oneIn(4) ? random.of(EXTENSIONS) : random.of([extensions.hopByHop, extensions.destination]);
  const length = random.oneIn(4) ? random.below(4) : 0;
  const rest = random.bytes((length + 1) * 8 - 1);
  rest[0] = length;
  return { protocol, ...(random.oneIn(2) && { rest }) };
}

export function transportOf({ protocol, sourcePort, destinationPort }: Flow, random: Random): Transport {
  const payload = Buffer.alloc(random.below(30), 0x62);
  if (protocol === 6) return tcp(sourcePort, destinationPort, random.of(MARKS), payload);
  if (protocol === 17) return udp(sourcePort, destinationPort, payload, !random.oneIn(6));
  if (protocol === SCTP) return someSctp(sourcePort, destinationPort, random);
  return echo(sourcePort, random.oneIn(2) ? "request" : "reply", payload);
}

/** Of a neighbour (RFC 4861) or a listener (RFC 2710, RFC 3810). */
export const discovery = (target: string, random: Random): Transport =>
  icmpv6(random.of([130, 132, 133, 134, 135, 136, 137, 143]), Uint8Array.from(addressBytes(target)));

/** An error about a packet of this flow, cut somewhere. */
export function errorAbout(flow: Flow, random: Random): Transport {
  const payload = Buffer.alloc(random.below(random.oneIn(4) ? 1500 : 64));
  const about = ip(flow, transportWith(flow, payload));
  const length = random.oneIn(4)
    ? random.below(about.length + 1)
    : Math.min(about.length, 28 + random.below(random.oneIn(3) ? 1400 : 530));
  const [type, code] = random.of([
    [3, 4],
    [3, 3],
    [3, 1],
    [11, 0],
    [12, 0],
    [3, 13],
    [5, 1],
    [4, 0],
  ]) as [number, number];
  return icmpError(type, code, about.subarray(0, length), 1400);
}

function transportWith({ protocol, sourcePort, destinationPort }: Flow, payload: Buffer): Transport {
  if (protocol === 6) return tcp(sourcePort, destinationPort, "A", payload);
  if (protocol === SCTP) return sctp(sourcePort, destinationPort, "data", { tag: 1, payload });
  return protocol === 17 ? udp(sourcePort, destinationPort, payload) : echo(sourcePort, "request", payload);
}
