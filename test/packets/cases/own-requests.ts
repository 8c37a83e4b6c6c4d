// SCTP of the node's own processes to Services: through the tunnel's device, translated like a pod's, and back by the same device.
import { backendAddress, nodes, outside, secondAddress } from "../cluster.ts";
import { frame, icmpError, type Transport, tcp } from "../frames.ts";
import { type Chunk, type SctpOptions, sctp } from "../sctp.ts";
import { CLIENT, SERVER } from "./association.ts";
import {
  about,
  arrives,
  arrivesWrapped,
  type Ends,
  enters,
  isolated,
  later,
  leaves,
  of,
  type PacketTest,
  type Step,
  sends,
} from "./step.ts";

const { master, node } = nodes;
const { client1 } = outside;
const [open, web2] = ["open", "web2"].map(backendAddress) as [string, string];
const translated = { services: true } as const;
/** Cluster addresses: of the pod `open`, of `web2` on another node, of nothing, of this node's network and of another's. */
const [signal, distant, silent, signalling, there] = [
  "10.96.0.24",
  "10.96.0.27",
  "10.96.0.26",
  "10.96.0.28",
  "10.96.0.29",
] as const;
const [MARK_OWN_REQUEST, MARK_OWN_ANSWER] = [0xebf00005, 0xebf00006];
/** Into the other direction's hook, which counts it. */
const goesOn = (packet: string) => `uncounted by the kernel's device or neighbour: ${packet}`;
const STAYS = "uncounted, but action 0";
const data = Buffer.alloc(333, 0x5a);
const tcpAlone: Pick<Step, "hosts"> = { hosts: { uplink: { egress: ["tcp"] } } };

/** What the node's stack has sent by the tunnel's device, where its programs take it up. */
function asks(ends: Ends, transport: Transport, becomes: Step["becomes"]): Step {
  return {
    ...{ program: "from_tunnel", at: "tunnel", mark: MARK_OWN_REQUEST, becomes },
    frame: (_, family) => frame(of(ends, family), transport),
  };
}

/** What the node sends to itself. */
function loops(ends: Ends, transport: Transport, becomes: Step["becomes"]): Step {
  return { program: "to_loopback", at: "lo", frame: (_, family) => frame(of(ends, family), transport), becomes };
}

const asksFor = (to: string, port: number, chunk: Chunk, options: SctpOptions, becomes: Step["becomes"]) =>
  asks({ source: master, destination: to }, sctp(port, 80, chunk, options), becomes);
const given = (packet: string) => `pass_to_stack by the tunnel's device: ${packet}`;

const whole: readonly PacketTest[] = [
  {
    say: "a process of the node and a pod here: what leaves by the tunnel's device comes back in, is translated, and so are the answers",
    handling: translated,
    steps: [
      enters(
        { source: master, destination: signal },
        sctp(6600, 80, "init", { asks: CLIENT }),
        goesOn(`sctp ${master}:6600 > ${signal}:80`),
      ),
      asksFor(signal, 6600, "init", { asks: CLIENT }, `to_endpoint to open: sctp ${master}:6600 > ${open}:3868`),
      sends(
        "open",
        { destination: master },
        sctp(3868, 6600, "initAck", { tag: CLIENT, asks: SERVER }),
        given(`sctp ${signal}:80 > ${master}:6600`),
      ),
      { program: "from_tunnel", at: "tunnel", mark: MARK_OWN_ANSWER, becomes: STAYS, frame: inOneFamily(signal) },
      asksFor(
        signal,
        6600,
        "cookieEcho",
        { tag: SERVER, payload: data },
        `to_endpoint to open: sctp ${master}:6600 > ${open}:3868`,
      ),
      sends(
        "open",
        { destination: master },
        sctp(3868, 6600, "cookieAck", { tag: CLIENT }),
        given(`sctp ${signal}:80 > ${master}:6600`),
      ),
    ],
    known: { port: 6600, as: ["established", "established"] },
  },
  {
    say: "a pod elsewhere gets it wrapped, and its answer comes wrapped",
    handling: translated,
    steps: [
      asksFor(
        distant,
        6601,
        "init",
        { asks: CLIENT },
        `to_overlay to ${node}: wrapped for node (overlay): sctp ${master}:6601 > ${web2}:3868`,
      ),
      arrivesWrapped(
        { kind: "overlay" },
        { source: web2, destination: master },
        sctp(3868, 6601, "initAck", { tag: CLIENT, asks: SERVER }),
        given(`sctp ${distant}:80 > ${master}:6601`),
      ),
    ],
  },
  {
    say: "a backend in another node's network",
    handling: translated,
    steps: [
      asksFor(there, 6602, "init", { asks: CLIENT }, `to_network to ${node}: sctp ${master}:6602 > ${node}:3868`),
      arrives(
        { source: node, destination: master },
        sctp(3868, 6602, "initAck", { tag: CLIENT, asks: SERVER }),
        given(`sctp ${there}:80 > ${master}:6602`),
      ),
    ],
  },
  {
    say: "a backend in this node's network sees the Service as its client, and so answers by the same way",
    handling: translated,
    steps: [
      asksFor(signalling, 6603, "init", { asks: CLIENT }, `pass_to_stack: sctp ${signalling}:6603 > ${master}:3868`),
      enters(
        { source: master, destination: signalling },
        sctp(3868, 6603, "initAck", { tag: CLIENT, asks: SERVER }),
        goesOn(`sctp ${master}:3868 > ${signalling}:6603`),
      ),
      asks(
        { source: master, destination: signalling },
        sctp(3868, 6603, "initAck", { tag: CLIENT, asks: SERVER }),
        given(`sctp ${signalling}:80 > ${master}:6603`),
      ),
      asks(
        { source: secondAddress, destination: signalling },
        sctp(6603, 80, "init", { asks: CLIENT }),
        "drop_no_route",
      ),
    ],
  },
  {
    say: "from the node's second address, too, where a pod answers",
    handling: translated,
    steps: [
      asks(
        { source: secondAddress, destination: signal },
        sctp(6604, 80, "init", { asks: CLIENT }),
        `to_endpoint to open: sctp ${secondAddress}:6604 > ${open}:3868`,
      ),
      sends(
        "open",
        { destination: secondAddress },
        sctp(3868, 6604, "initAck", { tag: CLIENT, asks: SERVER }),
        given(`sctp ${signal}:80 > ${secondAddress}:6604`),
      ),
    ],
  },
  {
    say: "a Service without backends, and a port that no Service has: the stack's answer to itself comes from there",
    handling: translated,
    steps: [
      asksFor(silent, 6605, "init", { asks: CLIENT }, `reject_no_backend: sctp ${silent}:6605 > ${master}:0`),
      asks(
        { source: master, destination: silent },
        sctp(0, 6605, "abort", { tag: CLIENT }),
        given(`sctp ${silent}:80 > ${master}:6605`),
      ),
      asks(
        { source: master, destination: signal },
        sctp(6606, 81, "init", { asks: CLIENT }),
        `reject_no_service: sctp ${signal}:6606 > ${master}:0`,
      ),
    ],
  },
  {
    say: "a router's error about it reaches the process with the Service's address inside",
    handling: translated,
    steps: [
      asksFor(there, 6607, "init", { asks: CLIENT }, /^to_network to 172.31.1.207/),
      arrives(
        { source: node, destination: master },
        icmpError(3, 2, about({ source: master, destination: node }, sctp(6607, 3868, "init", { asks: CLIENT }))),
        `pass_to_stack: icmp ${there} > ${master} about sctp ${master}:6607 > ${there}:80`,
      ),
    ],
  },
  {
    say: "an address that no Service has for itself: other ports there are somebody else's",
    handling: translated,
    steps: [
      asks(
        { source: master, destination: client1 },
        sctp(6608, 81, "init", { asks: CLIENT }),
        `to_network to ${client1}: sctp ${master}:6608 > ${client1}:81`,
      ),
    ],
  },
];

const atOwnPorts: readonly PacketTest[] = [
  {
    say: "a node port at the node's own address: a pod here",
    handling: translated,
    steps: [
      loops(
        { source: master, destination: master },
        sctp(6610, 30080, "init", { asks: CLIENT }),
        goesOn(`sctp ${master}:6610 > ${master}:30080`),
      ),
      asks(
        { source: master, destination: master },
        sctp(6610, 30080, "init", { asks: CLIENT }),
        `to_endpoint to open: sctp ${master}:6610 > ${open}:3868`,
      ),
      sends(
        "open",
        { destination: master },
        sctp(3868, 6610, "initAck", { tag: CLIENT, asks: SERVER }),
        given(`sctp ${master}:30080 > ${master}:6610`),
      ),
      loops(
        { source: master, destination: master },
        sctp(6610, 30080, "data", { tag: SERVER }),
        goesOn(`sctp ${master}:6610 > ${master}:30080`),
      ),
    ],
  },
  {
    say: "and a backend in the node's own network, whose answer takes loopback",
    handling: translated,
    steps: [
      asks(
        { source: master, destination: master },
        sctp(6611, 30084, "init", { asks: CLIENT }),
        `pass_to_stack: sctp ${master}:6611 > ${master}:3868`,
      ),
      loops(
        { source: master, destination: master },
        sctp(3868, 6611, "initAck", { tag: CLIENT, asks: SERVER }),
        goesOn(`sctp ${master}:3868 > ${master}:6611`),
      ),
      asks(
        { source: master, destination: master },
        sctp(3868, 6611, "initAck", { tag: CLIENT, asks: SERVER }),
        given(`sctp ${master}:30084 > ${master}:6611`),
      ),
    ],
  },
  {
    say: "a node port at another node's address: its backend here, in a pod and in the node's network, needs no way through that node",
    handling: translated,
    steps: [
      leaves(
        { source: master, destination: node },
        sctp(6614, 30080, "init", { asks: CLIENT }),
        goesOn(`sctp ${master}:6614 > ${node}:30080`),
      ),
      asks(
        { source: master, destination: node },
        sctp(6614, 30080, "init", { asks: CLIENT }),
        `to_endpoint to open: sctp ${master}:6614 > ${open}:3868`,
      ),
      sends(
        "open",
        { destination: master },
        sctp(3868, 6614, "initAck", { tag: CLIENT, asks: SERVER }),
        given(`sctp ${node}:30080 > ${master}:6614`),
      ),
      asks(
        { source: master, destination: node },
        sctp(6615, 30084, "init", { asks: CLIENT }),
        `pass_to_stack: sctp ${node}:6615 > ${master}:3868`,
      ),
      leaves(
        { source: master, destination: node },
        sctp(3868, 6615, "initAck", { tag: CLIENT, asks: SERVER }),
        goesOn(`sctp ${master}:3868 > ${node}:6615`),
      ),
      asks(
        { source: master, destination: node },
        sctp(3868, 6615, "initAck", { tag: CLIENT, asks: SERVER }),
        given(`sctp ${node}:30084 > ${master}:6615`),
      ),
    ],
  },
  {
    say: "one that serves only that node's backends is for that node to say; so is any other port there",
    handling: translated,
    steps: [
      leaves({ source: master, destination: node }, sctp(6616, 30085, "init", { asks: CLIENT }), /^pass_to_stack: /),
      leaves({ source: master, destination: node }, sctp(6616, 3868, "init", { asks: CLIENT }), /^pass_to_stack: /),
      leaves({ source: master, destination: client1 }, sctp(6616, 30080, "init", { asks: CLIENT }), /^pass_to_stack: /),
    ],
  },
  {
    say: "what the node says to itself otherwise is left alone, and what another sends",
    handling: translated,
    steps: [
      loops({ source: master, destination: master }, sctp(6612, 3868, "init", { asks: CLIENT }), STAYS),
      loops({ source: master, destination: master }, sctp(6612, 30080, "data", { tag: SERVER }), STAYS),
      loops({ source: master, destination: master }, tcp(6612, 30080, "S"), STAYS),
      {
        ...loops({ source: master, destination: master }, sctp(6612, 30080, "init", { asks: CLIENT }), STAYS),
        through: "web",
      },
    ],
  },
  {
    say: "loopback addresses have none of these ports: no pod could answer them",
    family: "IPv4",
    handling: translated,
    steps: [
      loops({ source: "127.0.0.1", destination: "127.0.0.1" }, sctp(6613, 30080, "init", { asks: CLIENT }), STAYS),
    ],
  },
];

const judged: readonly PacketTest[] = [
  {
    say: "no policy keeps a node from its pods, also when policies change; a pod that says it is the node is dropped",
    handling: translated,
    steps: [
      {
        ...asksFor(signal, 6620, "init", { asks: CLIENT }, `to_endpoint to open: sctp ${master}:6620 > ${open}:3868`),
        policies: [isolated("open", "Ingress")],
      },
      {
        ...later(
          asksFor(signal, 6620, "data", { tag: SERVER }, `to_endpoint to open: sctp ${master}:6620 > ${open}:3868`),
        ),
        policies: [isolated("open", "Ingress"), isolated("web", "Ingress")],
      },
      sends(
        "web",
        { destination: signal, as: master },
        sctp(6620, 80, "init", { asks: CLIENT }),
        "drop_spoofed_source",
      ),
    ],
  },
  {
    say: "the node's own policies are asked at the interface by which it leaves, about the backend",
    handling: translated,
    steps: [
      { ...asksFor(there, 6622, "init", { asks: CLIENT }, "drop_policy_egress"), ...tcpAlone },
      asksFor(distant, 6622, "init", { asks: CLIENT }, /^to_overlay/),
      asksFor(signal, 6622, "init", { asks: CLIENT }, /^to_endpoint/),
      { ...asksFor(distant, 6623, "init", { asks: CLIENT }, "drop_policy_egress"), hosts: { tunnel: { egress: [] } } },
      asksFor(there, 6623, "init", { asks: CLIENT }, /^to_network/),
      { ...asksFor(distant, 6622, "data", { tag: SERVER }, "drop_policy_egress"), hosts: { tunnel: { egress: [] } } },
      { ...asksFor(there, 6623, "data", { tag: SERVER }, "drop_policy_egress"), ...tcpAlone },
      { ...asksFor(there, 6623, "data", { tag: SERVER }, /^to_network/), hosts: { tunnel: { egress: [] } } },
    ],
  },
  {
    say: "only what this node's stack has made takes this way, with whatever mark",
    handling: translated,
    steps: [
      {
        ...enters(
          { source: master, destination: signal },
          sctp(6624, 80, "init", { asks: CLIENT }),
          /^pass_to_stack: /,
        ),
        through: "web",
      },
      enters({ source: client1, destination: signal }, sctp(6624, 80, "init", { asks: CLIENT }), /^pass_to_stack: /),
      enters({ source: master, destination: web2 }, sctp(6624, 3868, "init", { asks: CLIENT }), /^pass_to_stack: /),
      enters({ source: master, destination: signal }, tcp(6624, 80, "S"), /^pass_to_stack: /),
      { ...asksFor(signal, 6624, "init", { asks: CLIENT }, "drop_unknown_tunnel_peer"), mark: 0 },
    ],
  },
  {
    say: "what another node has wrapped does not, though it has the mark",
    family: "IPv4",
    handling: translated,
    steps: [MARK_OWN_REQUEST, MARK_OWN_ANSWER].map((mark) => ({
      ...asksFor(signal, 6625, "init", { asks: CLIENT }, "drop_spoofed_source"),
      tunnel: { node, vni: 4096 },
      mark,
    })),
  },
  {
    say: "where kube-proxy handles Services, they are none of ours",
    handling: { services: false },
    steps: [
      asksFor(signal, 6626, "init", { asks: CLIENT }, "drop_unrelated"),
      loops({ source: master, destination: master }, sctp(6626, 30080, "init", { asks: CLIENT }), STAYS),
    ],
  },
];

export const ownRequests: readonly PacketTest[] = [...whole, ...atOwnPorts, ...judged];

function inOneFamily(source: string): Step["frame"] {
  return (_, family) => frame(of({ source, destination: master }, family), sctp(80, 6600, "data", { tag: CLIENT }));
}
