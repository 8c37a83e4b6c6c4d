// SCTP: associations to services and between pods, how they are established and end, and what becomes of their checksum.
import { nodes, outside } from "../cluster.ts";
import { icmpError, raw, type Transport, tcp, udp } from "../frames.ts";
import { type Chunk, type SctpOptions, sctp } from "../sctp.ts";
import { about, arrives, arrivesWrapped, handed, isolated, leaves, type PacketTest, type Step, sends } from "./step.ts";

const { master, node } = nodes;
const { client1, client2 } = outside;
const [web, open, web2] = ["10.244.0.2", "10.245.0.3", "10.244.1.2"];
const direct = { returnMode: "DSR", services: true } as const;
const wrapped = { returnMode: "Tunnel", services: true } as const;
const translated = { services: true } as const;
const ANY = /(?:)/;
/** Clusters' addresses of the services, and their node ports; the pods of `signal` and `distant` have another port, 3868. */
const [signal, signals, silent] = ["10.96.0.24", "10.96.0.25", "10.96.0.26"];
/** The tags that the two ends ask for, and one that neither knows. */
const [CLIENT, SERVER, FORGED] = [0x11111111, 0x22222222, 0x33333333];
const data = Buffer.alloc(333, 0x5a);
const MORE = 0x2000;

/** A client's packets through node port 30080 of this node to `open`, and the answers. */
const asks = (port: number, chunk: Chunk, options: SctpOptions, becomes: Step["becomes"] = ANY) =>
  arrives({ source: client1, destination: master }, sctp(port, 30080, chunk, options), becomes);
const answers = (port: number, chunk: Chunk, options: SctpOptions, becomes: Step["becomes"] = ANY) =>
  sends("open", { destination: client1 }, sctp(3868, port, chunk, options), becomes);
const established = (port: number) => [
  asks(port, "init", { asks: CLIENT }, `to_endpoint to open: sctp ${client1}:${port} > ${open}:3868`),
  answers(
    port,
    "initAck",
    { tag: CLIENT, asks: SERVER },
    `to_network to ${client1}: sctp ${master}:30080 > ${client1}:${port}`,
  ),
  asks(
    port,
    "cookieEcho",
    { tag: SERVER, payload: data },
    `to_endpoint to open: sctp ${client1}:${port} > ${open}:3868`,
  ),
  answers(port, "cookieAck", { tag: CLIENT }, `to_network to ${client1}: sctp ${master}:30080 > ${client1}:${port}`),
];
const both = (state: string) => [state, state];

const handshakes: readonly PacketTest[] = [
  {
    say: "a client, a node port and a pod with another port: the checksum follows each packet",
    handling: translated,
    steps: [
      ...established(6000),
      asks(6000, "data", { tag: SERVER, payload: data }, `to_endpoint to open: sctp ${client1}:6000 > ${open}:3868`),
      answers(
        6000,
        "sack",
        { tag: CLIENT, payload: data },
        `to_network to ${client1}: sctp ${master}:30080 > ${client1}:6000`,
      ),
    ],
    known: { port: 6000, as: both("established") },
  },
  {
    say: "a pod and a cluster address, on one node; the same port number of TCP and UDP is another service's, or none's",
    handling: translated,
    steps: [
      sends(
        "web",
        { destination: signal },
        sctp(6001, 80, "init", { asks: CLIENT }),
        `to_endpoint to open: sctp ${web}:6001 > ${open}:3868`,
      ),
      sends(
        "open",
        { destination: web },
        sctp(3868, 6001, "initAck", { tag: CLIENT, asks: SERVER }),
        `to_endpoint to web: sctp ${signal}:80 > ${web}:6001`,
      ),
      sends("web", { destination: signal }, tcp(6001, 80, "S"), /^reject_no_service: tcp/),
      sends("web", { destination: signal }, udp(6001, 80), /^reject_no_service: udp/),
      arrives({ source: client1, destination: master }, tcp(6001, 30083, "S"), "drop_no_local_backend"),
      arrives(
        { source: client1, destination: master },
        sctp(6001, 30083, "init", { asks: CLIENT }),
        /^forward_service to 172.31.1.207: wrapped for node/,
      ),
    ],
  },
  {
    say: "an entry node forwards what opens and follows, and knows the association by the cookie",
    handling: direct,
    steps: [
      arrives(
        { source: client1, destination: master },
        sctp(6002, 30083, "init", { asks: CLIENT }),
        `forward_service to ${node}: wrapped for node (forward, reply direct, backend ${web2}): sctp ${client1}:6002 > ${master}:30083`,
      ),
      arrives(
        { source: client1, destination: master },
        sctp(6002, 30083, "cookieEcho", { tag: SERVER }),
        `forward_service to ${node}: wrapped for node (forward, reply direct, backend ${web2}): sctp ${client1}:6002 > ${master}:30083`,
      ),
    ],
    known: { port: 6002, as: ["established"] },
  },
  {
    say: "the backend's node answers as the node that the client used: directly, or back through it",
    handling: translated,
    steps: (["forward direct", "forward via"] as const).flatMap((kind, index) => {
      const port = 6010 + index;
      return [
        arrivesWrapped(
          { kind, for: "open" },
          { source: client1, destination: node },
          sctp(port, 30080, "init", { asks: CLIENT }),
          `to_endpoint to open: sctp ${client1}:${port} > ${open}:3868`,
        ),
        answers(
          port,
          "initAck",
          { tag: CLIENT, asks: SERVER },
          kind === "forward direct"
            ? `return_direct to ${client1}: sctp ${node}:30080 > ${client1}:${port}`
            : `return_via_entry to ${node}: wrapped for node (return): sctp ${node}:30080 > ${client1}:${port}`,
        ),
      ];
    }),
  },
  {
    say: "a reply through the entry node goes on to the client",
    handling: wrapped,
    steps: [
      arrives(
        { source: client1, destination: master },
        sctp(6003, 30083, "init", { asks: CLIENT }),
        /^forward_service/,
      ),
      arrivesWrapped(
        { kind: "return" },
        { source: master, destination: client1 },
        sctp(30083, 6003, "initAck", { tag: CLIENT, asks: SERVER }),
        `return_forwarded to ${client1}: sctp ${master}:30083 > ${client1}:6003`,
      ),
    ],
  },
  {
    say: "a backend on the node's network",
    handling: translated,
    steps: [
      arrives(
        { source: client1, destination: master },
        sctp(6004, 30084, "init", { asks: CLIENT }),
        `pass_to_stack: sctp ${client1}:6004 > ${master}:3868`,
      ),
      leaves(
        { source: master, destination: client1 },
        sctp(3868, 6004, "initAck", { tag: CLIENT, asks: SERVER }),
        `to_network: sctp ${master}:30084 > ${client1}:6004`,
      ),
    ],
  },
  {
    say: "two associations of one client's port that meet at a backend: the later one gets another port, and its answers the client's",
    handling: translated,
    steps: [
      ...established(6005),
      arrives(
        { source: client1, destination: node, by: client1 },
        sctp(6005, 30080, "init", { asks: CLIENT }),
        /^to_endpoint to open: sctp \S+:(3[2-9]|[456]\d)\d{3} > \S+:3868$/,
      ),
    ],
  },
  {
    say: "an association that was not seen to begin, as the second path of one, is established when both ends have sent",
    handling: translated,
    steps: [
      sends(
        "web",
        { destination: open },
        sctp(6006, 3868, "heartbeat", { tag: SERVER }),
        `to_endpoint to open: sctp ${web}:6006 > ${open}:3868`,
      ),
      sends(
        "open",
        { destination: web },
        sctp(3868, 6006, "sack", { tag: CLIENT }),
        `to_endpoint to web: sctp ${open}:3868 > ${web}:6006`,
      ),
      sends(
        "web",
        { destination: open },
        sctp(6006, 3868, "data", { tag: SERVER }),
        `to_endpoint to open: sctp ${web}:6006 > ${open}:3868`,
      ),
      sends(
        "web",
        { destination: open },
        sctp(6006, 3868, "data", { tag: SERVER }),
        `to_endpoint to open: sctp ${web}:6006 > ${open}:3868`,
      ),
    ],
    known: { port: 6006, as: both("established") },
  },
  {
    say: "only an INIT opens an association to a service",
    handling: translated,
    steps: (["data", "initAck", "cookieEcho", "heartbeat", "abort"] as const).map((chunk) =>
      asks(6007, chunk, { tag: SERVER, asks: CLIENT }, `pass_to_stack: sctp ${client1}:6007 > ${master}:30080`),
    ),
    known: { port: 6007, as: [] },
  },
];

const ends: readonly PacketTest[] = [
  ...(
    [
      ["abort", { tag: SERVER }],
      ["abort", { tag: CLIENT, reflected: true }],
    ] as const
  ).map(
    ([chunk, options]): PacketTest => ({
      say: `the client's ${chunk} ends it${"reflected" in options ? ", of a client that has lost it: with the tag of the packet that it answers" : ""}`,
      handling: translated,
      steps: [...established(6100), asks(6100, chunk, options)],
      known: { port: 6100, as: both("established, reset") },
    }),
  ),
  ...(
    [
      ["abort", { tag: CLIENT }],
      ["abort", { tag: SERVER, reflected: true }],
    ] as const
  ).map(
    ([chunk, options]): PacketTest => ({
      say: `the server's ${chunk}${"reflected" in options ? ", of one that has lost it," : ""} ends it`,
      handling: translated,
      steps: [...established(6101), answers(6101, chunk, options)],
      known: { port: 6101, as: both("established, reset") },
    }),
  ),
  {
    say: "a server that refuses the INIT ends it, and the next one is a new one's",
    handling: translated,
    steps: [asks(6102, "init", { asks: CLIENT }), answers(6102, "abort", { tag: CLIENT })],
    known: { port: 6102, as: both("half open, reset") },
  },
  {
    say: "SHUTDOWN from either side closes it",
    handling: translated,
    steps: [
      ...established(6103),
      asks(6103, "shutdown", { tag: SERVER }),
      answers(6103, "shutdownAck", { tag: CLIENT }),
      asks(6103, "shutdownComplete", { tag: SERVER }),
    ],
    known: { port: 6103, as: both("established, fin, closed") },
  },
  ...(["abort", "shutdown", "shutdownAck", "shutdownComplete", "init"] as const).flatMap((chunk): PacketTest[] => [
    {
      say: `a forged ${chunk} with the client's address ends nothing: it has not the tag`,
      handling: translated,
      steps: [
        ...established(6110),
        asks(6110, chunk, chunk === "init" ? { asks: FORGED } : { tag: FORGED }),
        ...(chunk === "abort"
          ? [
              asks(6110, chunk, { tag: FORGED, reflected: true }),
              asks(6110, chunk, {}),
              asks(6110, chunk, { tag: CLIENT }),
              asks(6110, chunk, { tag: SERVER, reflected: true }),
            ]
          : []),
      ],
      known: { port: 6110, as: both("established") },
    },
    {
      say: `nor one with a tag that forged packets before it had`,
      handling: translated,
      steps: [
        ...established(6111),
        asks(6111, "cookieEcho", { tag: FORGED }),
        asks(6111, "init", { asks: FORGED }),
        answers(6111, "initAck", { tag: FORGED, asks: FORGED }),
        asks(6111, chunk, chunk === "init" ? { asks: FORGED } : { tag: FORGED }),
        asks(6111, "abort", { tag: FORGED }),
        asks(6111, "abort", { tag: FORGED, reflected: true }),
      ],
      known: { port: 6111, as: both("established") },
    },
  ]),
  {
    say: "a tag that a forged packet had before the server answered is not believed",
    handling: translated,
    steps: [
      asks(6112, "init", { asks: CLIENT }),
      asks(6112, "data", { tag: FORGED }),
      answers(6112, "initAck", { tag: CLIENT, asks: SERVER }),
      asks(6112, "cookieEcho", { tag: SERVER }),
      answers(6112, "cookieAck", { tag: CLIENT }),
      asks(6112, "abort", { tag: FORGED }),
    ],
    known: { port: 6112, as: both("established") },
  },
  {
    say: "a sender that has not seen the server's cookie establishes nothing, nor does a cookie accepted for another association",
    handling: translated,
    steps: [
      asks(6113, "init", { asks: CLIENT }),
      answers(6113, "initAck", { tag: CLIENT, asks: SERVER }),
      asks(6113, "cookieEcho", { tag: FORGED }),
      asks(6113, "cookieEcho", { tag: SERVER }),
      asks(6113, "cookieAck", { tag: SERVER }),
      answers(6113, "cookieAck", { tag: FORGED }),
    ],
    known: { port: 6113, as: both("half open") },
  },
];

const checksums: readonly PacketTest[] = [
  {
    say: "a packet whose checksum the card would compute keeps none",
    handling: translated,
    steps: [
      {
        ...asks(
          6200,
          "init",
          { asks: CLIENT, checksum: "absent" },
          `to_endpoint to open: sctp ${client1}:6200 > ${open}:3868, without a checksum`,
        ),
      },
      answers(
        6200,
        "initAck",
        { tag: CLIENT, asks: SERVER, checksum: "absent" },
        `to_network to ${client1}: sctp ${master}:30080 > ${client1}:6200, without a checksum`,
      ),
    ],
  },
  {
    say: "the frame's padding and IP options are not part of it",
    handling: translated,
    steps: [
      padded(asks(6201, "init", { asks: CLIENT }, `to_endpoint to open: sctp ${client1}:6201 > ${open}:3868`)),
      arrives(
        { source: client1, destination: master, options: Buffer.alloc(8, 1) },
        sctp(6201, 30080, "cookieEcho", { tag: SERVER, payload: data }),
        `to_endpoint to open: sctp ${client1}:6201 > ${open}:3868`,
      ),
      arrives(
        { source: client1, destination: master },
        sctp(6201, 30080, "data", { tag: SERVER, payload: Buffer.alloc(2001, 7) }),
        `to_endpoint to open: sctp ${client1}:6201 > ${open}:3868`,
      ),
      arrives(
        { source: client1, destination: master },
        sctp(6201, 30080, "cookieAck", { tag: SERVER }),
        `to_endpoint to open: sctp ${client1}:6201 > ${open}:3868`,
      ),
    ],
  },
  {
    say: "fragments: the ports of none can be rewritten, since the checksum covers all; with the same port at the pod they pass",
    handling: translated,
    steps: [
      ...established(6202),
      arrives(
        { source: client1, destination: master, fragment: MORE },
        sctp(6202, 30080, "data", { tag: SERVER, payload: data }),
        "drop_sctp_fragment",
      ),
      arrives({ source: client1, destination: master, fragment: 100 }, fragmentOf(data), "drop_sctp_fragment"),
      sends(
        "open",
        { destination: client1, fragment: MORE },
        sctp(3868, 6202, "data", { tag: CLIENT, payload: data }),
        "drop_sctp_fragment",
      ),
      sends(
        "web",
        { destination: signals },
        sctp(6202, 80, "init", { asks: CLIENT }),
        `to_endpoint to open: sctp ${web}:6202 > ${open}:80`,
      ),
      sends(
        "web",
        { destination: signals, fragment: MORE },
        sctp(6202, 80, "data", { tag: SERVER, payload: data }),
        `to_endpoint to open: sctp ${web}:6202 > ${open}:80`,
      ),
      sends(
        "web",
        { destination: signals, fragment: 100 },
        fragmentOf(data),
        `to_endpoint to open: sctp ${web} > ${open}`,
      ),
    ],
  },
  {
    say: "packets that RFC 9260 calls malformed",
    steps: [
      asks(6203, "init", { tag: 1, asks: CLIENT }, "drop_malformed"),
      asks(6203, "init", { asks: 0 }, "drop_malformed"),
      asks(6203, "initAck", { tag: 0, asks: SERVER }, "drop_malformed"),
      asks(6203, "initAck", { tag: CLIENT, asks: 0 }, "drop_malformed"),
      arrives({ source: client1, destination: master }, raw(132, Buffer.alloc(12)), "drop_malformed"),
      arrives(
        { source: client1, destination: master },
        raw(132, Buffer.from("1770758000000000000000000100000411", "hex")),
        "drop_malformed",
      ),
    ],
    known: { port: 6203, as: [] },
  },
];

const answersInstead: readonly PacketTest[] = [
  {
    say: "a service without backends: the stack's answer comes from there, whether it knows SCTP or not",
    handling: translated,
    steps: [
      arrives(
        { source: client1, destination: master },
        sctp(6300, 30082, "init", { asks: CLIENT }),
        `reject_no_backend: sctp ${client1}:6300 > ${master}:0`,
      ),
      leaves(
        { source: master, destination: client1 },
        sctp(0, 6300, "abort", { tag: CLIENT }),
        `to_network: sctp ${master}:30082 > ${client1}:6300`,
      ),
      leaves(
        { source: master, destination: client1 },
        icmpError(3, 2, about({ source: client1, destination: master }, sctp(6300, 0, "init", { asks: CLIENT }))),
        `to_network: icmp ${master} > ${client1} about sctp ${client1}:6300 > ${master}:30082`,
      ),
      sends(
        "web",
        { destination: silent },
        sctp(6301, 80, "init", { asks: CLIENT }),
        `reject_no_backend: sctp ${web}:6301 > ${master}:0`,
      ),
      handed(
        "web",
        { source: master, destination: web },
        icmpError(3, 2, about({ source: web, destination: master }, sctp(6301, 0, "init", { asks: CLIENT }))),
        `to_endpoint: icmp ${silent} > ${web} about sctp ${web}:6301 > ${silent}:80`,
      ),
      sends(
        "web",
        { destination: silent },
        sctp(6302, 81, "init", { asks: CLIENT }),
        `reject_no_service: sctp ${web}:6302 > ${master}:0`,
      ),
    ],
  },
  {
    say: "a router's error about an answer reaches the pod with its own port, and one of the pod reaches the client with the port it used",
    handling: translated,
    steps: [
      ...established(6303),
      arrives(
        { source: client1, destination: master },
        icmpError(
          3,
          4,
          about({ source: master, destination: client1 }, sctp(30080, 6303, "data", { tag: CLIENT })),
          1400,
        ),
        `to_endpoint to open: icmp ${client1} > ${open} about sctp ${open}:3868 > ${client1}:6303`,
      ),
      sends(
        "open",
        { destination: client1 },
        icmpError(3, 3, about({ source: client1, destination: open }, sctp(6303, 3868, "data", { tag: SERVER }))),
        `to_network to ${client1}: icmp ${master} > ${client1} about sctp ${client1}:6303 > ${master}:30080`,
      ),
    ],
  },
  {
    say: "policies are asked about the pod's port, and of SCTP only rules for SCTP allow it",
    handling: translated,
    steps: [
      { ...asks(6304, "init", { asks: CLIENT }, "drop_policy_ingress"), policies: [allowing("TCP", 3868)] },
      { ...asks(6305, "init", { asks: CLIENT }, "drop_policy_ingress"), policies: [allowing("SCTP", 30080)] },
      { ...asks(6306, "init", { asks: CLIENT }, /^to_endpoint to open/), policies: [allowing("SCTP", 3868)] },
      {
        ...sends("web", { destination: signal }, sctp(6307, 80, "init", { asks: CLIENT }), "drop_policy_egress"),
        policies: [isolated("web", "Egress")],
      },
      { ...asks(6306, "data", { tag: SERVER }, "drop_policy_ingress"), policies: [isolated("open", "Ingress")] },
    ],
  },
  {
    say: "a pod sends under no other source, and reaches no port of another pod that its policies close",
    handling: translated,
    steps: [
      sends(
        "web",
        { destination: open, as: client2 },
        sctp(6308, 3868, "init", { asks: CLIENT }),
        "drop_spoofed_source",
      ),
      sends("web", { destination: "10.244.0.3" }, sctp(6308, 80, "init", { asks: CLIENT }), "drop_policy_ingress"),
    ],
  },
];

export const associations: readonly PacketTest[] = [...handshakes, ...ends, ...checksums, ...answersInstead];

function allowing(protocol: string, port: number) {
  return {
    metadata: { name: "open", namespace: "default" },
    spec: { podSelector: { matchLabels: { app: "open" } }, ingress: [{ ports: [{ protocol, port }] }] },
  };
}

function fragmentOf(bytes: Uint8Array): Transport {
  return raw(132, bytes);
}

/** With bytes behind the packet, as short frames have on a wire. */
function padded(step: Step): Step {
  const { frame } = step;
  return {
    ...step,
    frame: (node, family) =>
      Buffer.concat([typeof frame === "function" ? frame(node, family) : frame, Buffer.alloc(9, 0xee)]),
  };
}
