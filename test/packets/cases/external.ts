// Backends outside the cluster: the entry node stands for the client, with an address and a port of its own.
import { gateway, nodes, outside } from "../cluster.ts";
import { frame, icmpError, type Transport, tcp, udp } from "../frames.ts";
import { type NodeUnderTest, neighbours } from "../node.ts";
import { inFamily } from "../twins.ts";
import { about, addresses, arrives, arrivesWrapped, of, type PacketTest, type Step, sends } from "./step.ts";

const { master, node } = nodes;
const { client1, client2, remote } = outside;
const { open } = addresses;
const translated = { services: true } as const;
const source = neighbours[gateway];
/** Another host outside. */
export const other = "203.0.113.6";

/** The port that stands for the client of the only connection to the backend. */
export function portOf(
  under: NodeUnderTest,
  family: "IPv4" | "IPv6",
  from: string = remote,
  to: string = master,
): number {
  const entries = [...under.maps.halfOpen.entries(), ...under.maps.connections.entries()];
  const [key] =
    entries.find(([key]) => key.source === inFamily(from, family) && key.destination === inFamily(to, family)) ?? [];
  if (!key) throw new Error("There is no connection to the backend outside.");
  return key.destinationPort;
}

/** What the backend answers, or somebody at its address. */
export function answers(transport: (port: number) => Transport, becomes: Step["becomes"], from: string = remote): Step {
  return {
    program: "from_uplink",
    at: "uplink",
    frame: (under, family) =>
      frame(
        of({ source: from, destination: master }, family),
        transport(portOf(under, family, from === other ? remote : from)),
        source ? { source } : {},
      ),
    becomes,
  };
}

/** A router's error about what this node sent to the backend; of ICMP: type, code and the size that fits. */
export function errorAbout(
  transport: (port: number) => Transport,
  becomes: Step["becomes"],
  [type, code, mtu]: readonly [number, number, number?] = [3, 1],
): Step {
  return {
    program: "from_uplink",
    at: "uplink",
    frame: (under, family) =>
      frame(
        of({ source: gateway, destination: master }, family),
        icmpError(type, code, about({ source: master, destination: remote }, transport(portOf(under, family))), mtu),
        source ? { source } : {},
      ),
    becomes,
  };
}

const forwarded = (protocol: "tcp" | "udp") =>
  new RegExp(`^forward_external to ${gateway}: ${protocol} \\[?${master}\\]?:([5-9]|[12]\\d)\\d{3} > ${remote}:80$`);

export const external: readonly PacketTest[] = [
  {
    say: "a client's connection to a backend outside has this node's address there, and its answers return to the client",
    handling: translated,
    steps: [
      arrives({ source: client1, destination: node }, tcp(45401, 30097, "S"), forwarded("tcp")),
      answers((port) => tcp(80, port, "SA"), `return_external to ${client1}: tcp ${node}:30097 > ${client1}:45401`),
      arrives(
        { source: client1, destination: node },
        tcp(45401, 30097, "A", undefined, { sequence: 1001, acknowledges: 1001 }),
        forwarded("tcp"),
      ),
      answers((port) => tcp(80, port, "PA"), `return_external to ${client1}: tcp ${node}:30097 > ${client1}:45401`),
    ],
    known: { port: 45401, as: ["established"] },
  },
  {
    say: "datagrams likewise",
    handling: translated,
    steps: [
      arrives({ source: client2, destination: master }, udp(5402, 30098), forwarded("udp")),
      answers((port) => udp(80, port), `return_external to ${client2}: udp ${master}:30098 > ${client2}:5402`),
      arrives({ source: client2, destination: master }, udp(5402, 30098), forwarded("udp")),
    ],
  },
  {
    say: "only the backend answers, at the port that stands for the client",
    handling: translated,
    steps: [
      arrives({ source: client1, destination: master }, udp(5403, 30098), forwarded("udp")),
      answers((port) => udp(80, port), /^pass_to_stack/, other),
      answers((port) => udp(81, port), /^pass_to_stack/),
      answers((port) => udp(80, port + 1), /^pass_to_stack/),
    ],
  },
  {
    say: "an error about the packets that this node sent reaches the client, about the packet that the client sent",
    handling: translated,
    steps: [
      arrives({ source: client1, destination: node }, udp(5404, 30098), forwarded("udp")),
      errorAbout(
        (port) => udp(port, 80),
        new RegExp(
          `^to_network to ${client1}: icmp ${gateway} > ${client1} about udp ${client1}:5404 > ${node}:30098$`,
        ),
      ),
    ],
  },
  {
    say: "an error of the client about an answer reaches the backend, from this node",
    handling: translated,
    steps: [
      arrives({ source: client1, destination: master }, udp(5405, 30098), forwarded("udp")),
      answers((port) => udp(80, port), `return_external to ${client1}: udp ${master}:30098 > ${client1}:5405`),
      arrives(
        { source: client1, destination: master },
        icmpError(3, 3, about({ source: master, destination: client1 }, udp(30098, 5405))),
        new RegExp(
          `^to_network to ${gateway}: icmp ${master} > ${remote} about udp ${remote}:80 > \\[?${master}\\]?:\\d+$`,
        ),
      ),
    ],
  },
  {
    say: "a workload of a pool with natOutgoing reaches it by the cluster address, another node does not by this one",
    handling: translated,
    steps: [
      sends("open", { destination: "10.96.0.34" }, udp(5406, 80), forwarded("udp")),
      answers((port) => udp(80, port), `to_endpoint to open: udp 10.96.0.34:80 > ${open}:5406`),
      arrivesWrapped(
        { kind: "forward via", node },
        { source: client1, destination: node },
        udp(5407, 30098),
        "drop_no_local_backend",
      ),
    ],
  },
];
