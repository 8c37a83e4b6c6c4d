// Datagrams in fragments: whose ports the later ones have.
import { nodes, outside } from "../cluster.ts";
import { frame, raw, type Transport, tcp, udp } from "../frames.ts";
import { sctp } from "../sctp.ts";
import { CLIENT, SERVER } from "./association.ts";
import { arrives, arrivesWrapped, type Ends, enters, leaves, of, type PacketTest, type Step, sends } from "./step.ts";

const { master, node, far } = nodes;
const { client1, client2 } = outside;
const [db, open, web2] = ["10.244.0.3", "10.245.0.3", "10.244.1.2"];
const translated = { services: true } as const;
const [FIRST, LATER] = [0x2000, 0x0010];
const payload = Buffer.alloc(108, 0x61);
const rest = (protocol: number) => raw(protocol, Buffer.alloc(64, 0x62));
const [TCP, UDP, SCTP] = [6, 17, 132];
const MARK_OWN_REQUEST = 0xebf00005;

/** The pod's policy allows the port 80 and not 81. */
const known = [
  arrives({ source: client1, destination: db, fragment: FIRST }, tcp(9000, 80, "S", payload), /^to_endpoint to db/),
  arrives({ source: client1, destination: db, fragment: LATER }, rest(TCP), /^to_endpoint to db/),
];
const other = tcp(9000, 81, "S", payload);
const stays = (who: string, ...forged: Step[]): PacketTest => ({
  say: `${who} gives no ports to the later fragments of another host`,
  handling: translated,
  steps: [
    ...known,
    ...forged,
    arrives({ source: client1, destination: db, fragment: LATER }, rest(TCP), /^to_endpoint to db/),
  ],
});

/** A program's own frames, in both families. */
const at = (
  meeting: Pick<Step, "program" | "at" | "mark">,
  ends: Ends,
  transport: Transport,
  becomes: Step["becomes"],
): Step => ({
  ...meeting,
  frame: (_, family) => frame(of(ends, family), transport),
  becomes,
});
const loops = (ends: Ends, transport: Transport, becomes: Step["becomes"]) =>
  at({ program: "to_loopback", at: "lo" }, ends, transport, becomes);
const asks = (ends: Ends, transport: Transport, becomes: Step["becomes"]) =>
  at({ program: "from_tunnel", at: "tunnel", mark: MARK_OWN_REQUEST }, ends, transport, becomes);

/** The node's own association with a port of `to`, and then data of it in fragments: all are the programs' to handle. */
const ofNode = (leaving: typeof leaves, to: string, port: number): PacketTest => {
  const ends = { source: master, destination: to };
  const goesOn = /^uncounted by the kernel's device or neighbour: sctp /;
  return {
    say: `fragments of the node's own SCTP to ${to}:${port} take the way of its other packets`,
    handling: translated,
    steps: [
      leaving(ends, sctp(9010, port, "init", { asks: CLIENT }), goesOn),
      asks(ends, sctp(9010, port, "init", { asks: CLIENT }), /^to_(endpoint|overlay) /),
      leaving({ ...ends, fragment: LATER }, rest(SCTP), /^(pass_to_stack|uncounted, but action 0)/),
      leaving({ ...ends, fragment: FIRST }, sctp(9010, port, "data", { tag: SERVER, payload }), goesOn),
      leaving({ ...ends, fragment: LATER }, rest(SCTP), goesOn),
    ],
  };
};

export const fragments: readonly PacketTest[] = [
  stays("a pod", sends("web", { as: client1, destination: db, fragment: FIRST }, other, "drop_spoofed_source")),
  stays(
    "another node",
    arrivesWrapped(
      { kind: "overlay" },
      { source: client1, destination: db, fragment: FIRST },
      other,
      "drop_spoofed_source",
    ),
  ),
  stays(
    "a host that passes for a node",
    arrivesWrapped(
      { kind: "forward direct", node: client2 },
      { source: client1, destination: db, fragment: FIRST },
      other,
      "drop_unknown_tunnel_peer",
    ),
  ),
  {
    say: "what a host outside sends in the name of a pod gives that pod's later fragments no ports",
    handling: translated,
    steps: [
      arrivesWrapped(
        { kind: "overlay" },
        { source: web2, destination: db, fragment: FIRST },
        tcp(9001, 80, "S", payload),
        /^to_endpoint to db/,
      ),
      arrives({ source: web2, destination: db, fragment: FIRST }, tcp(9001, 81, "S", payload), "drop_spoofed_source"),
      arrivesWrapped(
        { kind: "overlay" },
        { source: web2, destination: db, fragment: LATER },
        rest(TCP),
        /^to_endpoint to db/,
      ),
      arrivesWrapped(
        { kind: "overlay", node: far },
        { source: web2, destination: db, fragment: FIRST },
        tcp(9001, 81, "S", payload),
        /^drop_(spoofed_source|unknown_tunnel_peer)$/,
      ),
      arrivesWrapped(
        { kind: "overlay" },
        { source: web2, destination: db, fragment: LATER },
        rest(TCP),
        /^to_endpoint to db/,
      ),
    ],
  },
  {
    say: "the later fragments of a datagram whose first one was dropped are dropped",
    handling: translated,
    steps: [
      sends("web", { destination: db, fragment: FIRST }, udp(9002, 80, payload), "drop_policy_ingress"),
      sends("web", { destination: db, fragment: LATER }, rest(UDP), "drop_fragment"),
      sends("web", { destination: open, fragment: FIRST }, udp(9002, 80, payload), /^to_endpoint to open/),
      sends("web", { destination: open, fragment: LATER }, rest(UDP), /^to_endpoint to open/),
    ],
  },
  ofNode(leaves, node, 30080),
  ofNode(loops, master, 30080),
  ofNode(enters, "10.96.0.24", 80),
  {
    say: "a client's fragments to a node port all reach the backend, whatever others send in its name",
    handling: translated,
    steps: [
      arrives(
        { source: client1, destination: master, fragment: FIRST },
        tcp(9004, 30082, "S", payload),
        /^to_endpoint to db/,
      ),
      sends(
        "open",
        { as: client1, destination: master, fragment: FIRST },
        tcp(9004, 22, "S", payload),
        "drop_spoofed_source",
      ),
      arrives({ source: client1, destination: master, fragment: LATER }, rest(TCP), /^to_endpoint to db/),
    ],
  },
];
