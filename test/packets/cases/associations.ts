// SCTP: associations to services and between pods, how they are established, refused and judged.
import { nodes, outside } from "../cluster.ts";
import { icmpError, tcp, udp } from "../frames.ts";
import { sctp } from "../sctp.ts";
import { answers, asks, CLIENT, established, SERVER } from "./association.ts";
import { about, arrives, arrivesWrapped, handed, isolated, leaves, type PacketTest, sends } from "./step.ts";

const { master, node } = nodes;
const { client1, client2 } = outside;
const [web, open, web2] = ["10.244.0.2", "10.245.0.3", "10.244.1.2"];
const direct = { returnMode: "DSR", services: true } as const;
const wrapped = { returnMode: "Tunnel", services: true } as const;
const translated = { services: true } as const;
/** Cluster addresses. */
const [signal, silent] = ["10.96.0.24", "10.96.0.26"];
const data = Buffer.alloc(333, 0x5a);
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

export const associations: readonly PacketTest[] = [...handshakes, ...answersInstead];

function allowing(protocol: string, port: number) {
  return {
    metadata: { name: "open", namespace: "default" },
    spec: { podSelector: { matchLabels: { app: "open" } }, ingress: [{ ports: [{ protocol, port }] }] },
  };
}
