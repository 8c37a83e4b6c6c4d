// Connections to services with Maglev selection that enter at another node than before: the router has moved them, or their entry node is lost.
import type { Family } from "../../../model/address/address.ts";
import { backendAddress, gateway, nodes, outside } from "../cluster.ts";
import { tcp, udp } from "../frames.ts";
import type { NodeUnderTest } from "../node.ts";
import { addresses, arrives, arrivesWrapped, bytesOf, type PacketTest, type Step, sends } from "./step.ts";

const { master, node, far } = nodes;
const { client1, client2 } = outside;
const { web, open } = addresses;
const web2 = backendAddress("web2");
const NONE = new Uint8Array();
const translated = { services: true } as const;
const tunnel = { returnMode: "Tunnel", services: true } as const;
/** What the two ends have sent after the handshake. */
const NUMBERS = { sequence: 1001, acknowledges: 1001 };
const FORGED = [
  { sequence: 3_000_000_000, acknowledges: 1001 },
  { sequence: 1001, acknowledges: 3_000_000_000 },
  { sequence: 1001, acknowledges: 1002 },
];

/** A connection from client2 to the node port of `entry`, wrapped by it for web, the pod here. */
const via = (entry: string, port: number, marks: string, numbers = NUMBERS) =>
  arrivesWrapped(
    { kind: "forward via", for: "web", node: entry },
    { source: client2, destination: node },
    tcp(port, 30095, marks, NONE, marks === "S" ? { sequence: 1000 } : numbers),
    `to_endpoint to web: tcp ${client2}:${port} > ${web}:80`,
  );
const unwrapped = (port: number, marks: string, numbers = NUMBERS) =>
  arrives(
    { source: client2, destination: node },
    tcp(port, 30095, marks, NONE, marks === "S" ? { sequence: 1000 } : numbers),
    `to_endpoint to web: tcp ${client2}:${port} > ${web}:80`,
  );
const reply = (port: number, becomes: string, marks = "A") =>
  sends("web", { destination: client2 }, tcp(80, port, marks), becomes);
const replyBy = (entry: "node" | "far", port: number) =>
  `return_via_entry to ${entry === "far" ? gateway : node}: wrapped for ${entry} (return): tcp ${node}:30095 > ${client2}:${port}`;
const replyStraight = (port: number) => `to_network to ${client2}: tcp ${node}:30095 > ${client2}:${port}`;

const datagram = (entry: string, port: number) =>
  arrivesWrapped(
    { kind: "forward via", for: "open", node: entry },
    { source: client2, destination: node },
    udp(port, 30096),
    `to_endpoint to open: udp ${client2}:${port} > ${open}:80`,
  );
const answer = (entry: "node" | "far", port: number) =>
  sends(
    "open",
    { destination: client2 },
    udp(80, port),
    entry === "node"
      ? `return_via_entry to ${node}: wrapped for node (return): udp ${node}:30096 > ${client2}:${port}`
      : /^return_via_entry.* wrapped for far \(return\)/,
  );

/** A SYN of the node `far` itself to the node port of a service whose backend is web2, on a third node. */
const passedOn = (kind: "overlay" | "forward via") =>
  arrivesWrapped(
    { kind, node: far },
    { source: far, destination: node },
    tcp(5317, 30089, "S"),
    /^to_overlay.* > 10.244.1.2:80$/,
  );

/** The same when the flow has been silent for so many seconds, however fast the machine is. */
function afterSilence(seconds: number, step: Step): Step {
  const frame = (under: NodeUnderTest, family: Family) => {
    const lastSeen = process.hrtime.bigint() - BigInt(seconds * 1e9);
    for (const map of [under.maps.connections, under.maps.halfOpen])
      map.update(map.entries().map(([key, entry]) => [key, { ...entry, lastSeen }]));
    return bytesOf(step, under, family);
  };
  return { ...step, frame };
}

export const maglev: readonly PacketTest[] = [
  {
    say: "a packet of a connection that began at another node is forwarded to the backend that every node would choose",
    handling: translated,
    steps: [
      arrives(
        { source: client1, destination: far },
        tcp(5301, 30094, "A"),
        /^forward_service to .*wrapped for node \(forward, reply \w+, backend [\d.a-f:]+\): tcp .*:5301 > .*:30094$/,
      ),
      arrives({ source: client1, destination: far }, tcp(5301, 30094, "PA"), /^forward_service to /),
    ],
    known: { port: 5301, as: ["established"] },
  },
  {
    say: "one of a service without Maglev selection is not, nor is a SYN-ACK, nor what a pod sends",
    handling: translated,
    steps: [
      arrives({ source: client1, destination: master }, tcp(5302, 30089, "A"), /^pass_to_stack/),
      arrives({ source: client1, destination: master }, tcp(5303, 30094, "SA"), /^pass_to_stack/),
      sends("web", { destination: far }, tcp(5304, 30094, "A"), /^(?!forward_service)/),
    ],
  },
  {
    say: "the backend's node follows a connection that exists, and refuses others",
    handling: translated,
    steps: [
      arrives({ source: client1, destination: master }, tcp(5305, 30095, "A"), /^reject_gone/),
      arrivesWrapped(
        { kind: "forward via", for: "web" },
        { source: client1, destination: node },
        tcp(5306, 30095, "A"),
        /^reject_gone/,
      ),
      arrivesWrapped(
        { kind: "forward direct", for: "web" },
        { source: client1, destination: node },
        tcp(5307, 30095, "A"),
        /^reject_gone/,
      ),
      /* No service is there, so nothing is remembered that a later packet to this address could meet. */
      arrivesWrapped(
        { kind: "forward via", for: "web" },
        { source: client1, destination: "10.244.0.2" },
        tcp(5308, 80, "A"),
        "drop_no_local_backend",
      ),
    ],
  },
  {
    say: "replies through the entry node follow the connection to another one, and back",
    handling: tunnel,
    steps: [
      via(node, 5310, "S"),
      reply(5310, replyBy("node", 5310), "SA"),
      via(node, 5310, "A"),
      via(far, 5310, "A"),
      reply(5310, replyBy("far", 5310)),
      via(node, 5310, "A"),
      reply(5310, replyBy("node", 5310)),
    ],
    known: { port: 5310, as: ["established", "established"] },
  },
  {
    say: "a SYN that is sent again moves them too, another one does not",
    handling: tunnel,
    steps: [
      via(node, 5311, "S"),
      reply(5311, replyBy("node", 5311), "SA"),
      via(far, 5311, "S"),
      reply(5311, replyBy("far", 5311), "SA"),
      via(far, 5311, "A"),
      via(node, 5311, "S") /* the connection is established: anybody can send it */,
      reply(5311, replyBy("far", 5311)),
    ],
  },
  {
    say: "they go straight to the client when it connects to the backend's node itself, and through the entry node when it no longer does",
    handling: tunnel,
    steps: [
      via(node, 5312, "S"),
      reply(5312, replyBy("node", 5312), "SA"),
      unwrapped(5312, "A"),
      reply(5312, replyStraight(5312)),
      via(far, 5312, "A"),
      reply(5312, replyBy("far", 5312)),
    ],
  },
  {
    say: "a connection that entered at the backend's node is followed when another node forwards it",
    handling: translated,
    steps: [
      unwrapped(5313, "S"),
      reply(5313, replyStraight(5313), "SA"),
      via(far, 5313, "A"),
      reply(5313, replyBy("far", 5313)),
      arrivesWrapped(
        { kind: "forward direct", for: "web", node },
        { source: client2, destination: node },
        tcp(5313, 30095, "A", NONE, NUMBERS),
        `to_endpoint to web: tcp ${client2}:5313 > ${web}:80`,
      ),
      reply(5313, `return_direct to ${client2}: tcp ${node}:30095 > ${client2}:5313`),
    ],
  },
  ...FORGED.map(
    (numbers): PacketTest => ({
      say: `whoever does not know its numbers (${numbers.sequence}, ${numbers.acknowledges}) moves no reply of a connection`,
      handling: tunnel,
      steps: [
        via(node, 5314, "S"),
        reply(5314, replyBy("node", 5314), "SA"),
        via(node, 5314, "A"),
        via(far, 5314, "A", numbers),
        reply(5314, replyBy("node", 5314)),
        via(far, 5314, "R", numbers),
        reply(5314, replyBy("node", 5314)),
        unwrapped(5314, "A", numbers),
        reply(5314, replyBy("node", 5314)),
      ],
    }),
  ),
  {
    say: "datagrams move the replies when none has come by the known way for a second",
    handling: tunnel,
    steps: [
      datagram(node, 5315),
      answer("node", 5315),
      afterSilence(0, datagram(far, 5315)),
      answer("node", 5315),
      datagram(node, 5315),
      afterSilence(2, datagram(far, 5315)),
      answer("far", 5315),
      afterSilence(0, datagram(node, 5315)),
      answer("far", 5315),
    ],
  },
  {
    say: "a wrapped packet with a source that its node may not use moves nothing",
    handling: tunnel,
    steps: [
      via(node, 5316, "S"),
      reply(5316, replyBy("node", 5316), "SA"),
      arrivesWrapped(
        { kind: "forward via", for: "web", node: "172.31.1.99" },
        { source: client2, destination: node },
        tcp(5316, 30095, "A", NONE, NUMBERS),
        /^drop_/,
      ),
      reply(5316, replyBy("node", 5316)),
    ],
  },
  {
    say: "a node that only passes a connection on, since another one wrapped it as the overlay's, sends its replies no other way",
    handling: tunnel,
    steps: [
      passedOn("overlay"),
      passedOn("forward via"),
      arrivesWrapped(
        { kind: "overlay" },
        { source: web2, destination: far },
        tcp(80, 5317, "SA"),
        /^to_network to .*: tcp .*:30089 > .*:5317$/,
      ),
    ],
  },
];
