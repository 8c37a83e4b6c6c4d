// Packets that tell rules apart, of all kinds, between everybody in a world.

import { CLIENTS, type Family, familiesOf, inFamily, interfacesOf, isIpv6, NODES } from "./families.ts";
import type { HostQuestion } from "./hosts.ts";
import type { Direction, Packet, Pod, World } from "./objects.ts";

const KINDS: readonly Omit<Packet, "source" | "destination">[] = [
  ...[53, 54, 79, 80, 81, 82, 443, 444, 8080].map((destinationPort) => ({
    protocol: 6,
    sourcePort: 40000,
    destinationPort,
  })),
  ...[53, 80, 8080].map((destinationPort) => ({ protocol: 17, sourcePort: 40000, destinationPort })),
  ...[53, 1023, 1024, 2000].map((sourcePort) => ({ protocol: 6, sourcePort, destinationPort: 80 })),
  { protocol: 17, sourcePort: 53, destinationPort: 443 },
  { protocol: 132, sourcePort: 40000, destinationPort: 80 },
  ...[
    [8, 0],
    [8, 5],
    [13, 0],
    [0, 0],
    [3, 4],
    [3, 0],
  ].map(([type = 0, code = 0]) => ({ protocol: 1, icmp: { type, code } })),
  { protocol: 47 },
  { protocol: 136 },
];

const ICMPV6: Readonly<Record<string, [number, number]>> = {
  "8/0": [128, 0],
  "8/5": [128, 5],
  "13/0": [139, 0],
  "0/0": [129, 0],
  "3/4": [2, 0],
  "3/0": [1, 0],
};

function inKind(kind: (typeof KINDS)[number], family: string): (typeof KINDS)[number] {
  if (!kind.icmp || family === "IPv4") return kind;
  const [type, code] = ICMPV6[`${kind.icmp.type}/${kind.icmp.code}`] ?? [kind.icmp.type, kind.icmp.code];
  return { protocol: 58, icmp: { type, code } };
}

export interface Question {
  pod: Pod;
  direction: Direction;
  packet: Packet;
}

/** Everything that a pod of this node may receive or send; `every` takes each nth, beginning at `start`. */
export function questions(world: World, every = 1, start = 0): Question[] {
  const found: Question[] = [];
  for (const family of familiesOf(world)) {
    const pods = world.pods.map((pod) => ({ pod, own: ipOf(pod, family) }));
    const addresses = [...pods.map(({ own }) => own), ...CLIENTS.map((client) => inFamily(client, family))];
    for (const { pod, own } of pods.filter((one) => one.pod.spec.nodeName === "master")) {
      for (const peer of addresses.filter((address) => address !== own)) {
        for (const kind of KINDS.map((one) => inKind(one, family))) {
          found.push({ pod, direction: "ingress", packet: { ...kind, source: peer, destination: own } });
          found.push({ pod, direction: "egress", packet: { ...kind, source: own, destination: peer } });
        }
      }
    }
  }
  return found.filter((_, index) => index % every === start % every);
}

function ipOf({ status }: Pod, family: string): string {
  return status.podIPs.find(({ ip }) => isIpv6(ip) === (family === "IPv6"))?.ip ?? "";
}

/** What pods of this node send to it. */
export function ownNodeQuestions(world: World, every = 1, start = 0): Question[] {
  const pods = world.pods.filter(({ spec }) => spec.nodeName === "master");
  const found = familiesOf(world).flatMap((family) =>
    pods.flatMap((pod) =>
      HOST_KINDS.map((one): Question => {
        const ends = { source: ipOf(pod, family), destination: inFamily(NODES.master, family) };
        return { pod, direction: "egress", packet: { ...inKind(one, family), ...ends } };
      }),
    ),
  );
  return found.filter((_, index) => index % every === start % every);
}

const HOST_KINDS: typeof KINDS = [
  ...KINDS,
  ...[22, 6443].map((destinationPort) => ({ protocol: 6, sourcePort: 40000, destinationPort })),
  { protocol: 17, sourcePort: 40000, destinationPort: 68 },
];

/** The same at the interfaces of this node: of its own processes, and on the way to and from pods, through node ports too. */
export function hostQuestions(world: World, every = 1, start = 0): HostQuestion[] {
  const found = familiesOf(world).flatMap((family) =>
    interfacesOf(world).flatMap((at) =>
      CLIENTS.flatMap((peer) => hostQuestionsOf(world, at, inFamily(peer, family), family)),
    ),
  );
  return found.filter((_, index) => index % every === start % every);
}

function hostQuestionsOf(world: World, at: HostQuestion["interface"], peer: string, family: Family): HostQuestion[] {
  const found: HostQuestion[] = [];
  for (const kind of HOST_KINDS.map((one) => inKind(one, family))) {
    for (const direction of ["ingress", "egress"] as const) {
      const ends = (own = "") =>
        direction === "ingress" ? { source: peer, destination: own } : { source: own, destination: peer };
      const common = { node: "master", interface: at, direction };
      const own = at.addresses.find((address) => isIpv6(address) === isIpv6(peer));
      found.push({ ...common, way: "own", packet: { ...kind, ...ends(own) } });
      for (const pod of world.pods.slice(0, 2)) {
        const packet = { ...kind, ...ends(ipOf(pod, family)) };
        const written = { destination: inFamily(NODES.master, family), destinationPort: 8080 };
        found.push({ ...common, way: "forwarded", packet });
        if (direction === "ingress" && packet.destinationPort === 80)
          found.push({ ...common, way: "forwarded", packet, written });
      }
    }
  }
  return found;
}

/** "ingress of 10.244.0.1 <- 172.31.1.55, TCP 80 from 40000" */
export function inWords({ direction, packet }: Pick<Question, "direction" | "packet">): string {
  const { source, destination, protocol, sourcePort, destinationPort, icmp } = packet;
  const names: Record<number, string> = { 1: "ICMP", 58: "ICMPv6", 6: "TCP", 17: "UDP", 132: "SCTP" };
  const what = icmp ? `type ${icmp.type} code ${icmp.code}` : `${destinationPort ?? ""} from ${sourcePort ?? ""}`;
  const ends = direction === "ingress" ? `${destination} <- ${source}` : `${source} -> ${destination}`;
  return `${direction} of ${ends}, ${names[protocol] ?? `protocol ${protocol}`} ${what}`;
}
