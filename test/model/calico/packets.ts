// Packets that tell rules apart, of all kinds, between everybody in a world.
import type { HostQuestion } from "./hosts.ts";
import type { Direction, Packet, Pod, World } from "./objects.ts";
import { CLIENTS, NODES } from "./random-world.ts";

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
    [0, 0],
    [3, 4],
    [3, 0],
  ].map(([type = 0, code = 0]) => ({ protocol: 1, icmp: { type, code } })),
  { protocol: 47 },
  { protocol: 136 },
];

export interface Question {
  pod: Pod;
  direction: Direction;
  packet: Packet;
}

/** Everything that a pod of this node may receive or send; `every` takes each nth, beginning at `start`. */
export function questions(world: World, every = 1, start = 0): Question[] {
  const addresses = [...world.pods.map(({ status }) => status.podIPs[0]?.ip ?? ""), ...CLIENTS];
  const found: Question[] = [];
  for (const pod of world.pods.filter(({ spec }) => spec.nodeName === "master")) {
    const own = pod.status.podIPs[0]?.ip ?? "";
    for (const peer of addresses.filter((address) => address !== own)) {
      for (const kind of KINDS) {
        found.push({ pod, direction: "ingress", packet: { ...kind, source: peer, destination: own } });
        found.push({ pod, direction: "egress", packet: { ...kind, source: own, destination: peer } });
      }
    }
  }
  return found.filter((_, index) => index % every === start % every);
}

export const INTERFACES = [
  { name: "eth0", addresses: [NODES.master] },
  { name: "eth1", addresses: ["10.9.0.8"] },
];
const HOST_KINDS: typeof KINDS = [
  ...KINDS,
  ...[22, 6443].map((destinationPort) => ({ protocol: 6, sourcePort: 40000, destinationPort })),
  { protocol: 17, sourcePort: 40000, destinationPort: 68 },
];

/** The same at the interfaces of this node: of its own processes, and on the way to and from pods, through node ports too. */
export function hostQuestions(world: World, every = 1, start = 0): HostQuestion[] {
  const found: HostQuestion[] = [];
  for (const at of INTERFACES) {
    for (const peer of CLIENTS) {
      for (const kind of HOST_KINDS) {
        for (const direction of ["ingress", "egress"] as const) {
          const ends = (own = "") =>
            direction === "ingress" ? { source: peer, destination: own } : { source: own, destination: peer };
          const common = { node: "master", interface: at, direction };
          found.push({ ...common, way: "own", packet: { ...kind, ...ends(at.addresses[0]) } });
          for (const { status } of world.pods.slice(0, 2)) {
            const packet = { ...kind, ...ends(status.podIPs[0]?.ip) };
            const written = { destination: NODES.master, destinationPort: 8080 };
            found.push({ ...common, way: "forwarded", packet });
            if (direction === "ingress" && packet.destinationPort === 80)
              found.push({ ...common, way: "forwarded", packet, written });
          }
        }
      }
    }
  }
  return found.filter((_, index) => index % every === start % every);
}

/** "ingress of 10.244.0.1 <- 172.31.1.55, TCP 80 from 40000" */
export function inWords({ direction, packet }: Pick<Question, "direction" | "packet">): string {
  const { source, destination, protocol, sourcePort, destinationPort, icmp } = packet;
  const names: Record<number, string> = { 1: "ICMP", 6: "TCP", 17: "UDP", 132: "SCTP" };
  const what = icmp ? `type ${icmp.type} code ${icmp.code}` : `${destinationPort ?? ""} from ${sourcePort ?? ""}`;
  const ends = direction === "ingress" ? `${destination} <- ${source}` : `${source} -> ${destination}`;
  return `${direction} of ${ends}, ${names[protocol] ?? `protocol ${protocol}`} ${what}`;
}
