// The measured packets: those of ordinary traffic, and one that each check refuses.
import { arrives, arrivesWrapped, handed, leaves, type Step, sends } from "../cases/step.ts";
import { backendAddress, gateway, nodes, outside } from "../cluster.ts";
import { icmpError, ip, type Transport, tcp } from "../frames.ts";
import type { Handling } from "../node.ts";

export interface PacketKind {
  readonly say: string;
  /** Direct return by default. */
  readonly handling?: Handling;
  /** The packets before it, which create its connection. */
  readonly before: readonly Step[];
  readonly packet: Step;
  /** Each is the first packet of a flow: with another source port, or of another sender. */
  readonly isNew?: "port" | "sender";
  /** Measured in the uplink's card (XDP); in a version without that, at tc. */
  readonly inCard?: boolean;
}

const { client1, client2 } = outside;
const tunnel: Handling = { returnMode: "Tunnel", services: true };
const ANY = /(?:)/;
type Way = (transport: Transport) => Step;

/** An open TCP connection, of whose requests or answers one is measured. */
function open(
  say: string,
  request: Way,
  answer: Way,
  port: number,
  more: Partial<PacketKind> & { of?: "answer" } = {},
) {
  const { of = "request", ...rest } = more;
  const [there, back] = [
    (marks: string) => request(tcp(5000, port, marks)),
    (marks: string) => answer(tcp(80, 5000, marks)),
  ];
  const before = [there("S"), back("SA"), there("A"), back("A")];
  return { say, before, packet: of === "request" ? there("A") : back("A"), ...rest };
}

const from =
  (source: string, destination: string, by?: string): Way =>
  (transport) =>
    arrives({ source, destination, ...(by && { by }) }, transport, ANY);
const pod =
  (name: string, destination: string): Way =>
  (transport) =>
    sends(name, { destination }, transport, ANY);
const forwarded =
  (kind: "forward direct" | "forward via", backend: string, destination: string): Way =>
  (transport) =>
    arrivesWrapped({ kind, for: backend }, { source: client1, destination }, transport, ANY);
const overlay =
  (source: string, destination: string): Way =>
  (transport) =>
    arrivesWrapped({ kind: "overlay" }, { source, destination }, transport, ANY);
const returned =
  (source: string, port: number): Way =>
  (transport) =>
    arrivesWrapped(
      { kind: "return" },
      { source, destination: client1 },
      transport.protocol === 6 ? tcp(port, 5000, "A") : transport,
      ANY,
    );

const [web, db, plain] = ["web", "db", "open"].map(backendAddress) as [string, string, string];
const [web2, friend] = ["web2", "friend"].map(backendAddress) as [string, string];
const { master, node } = nodes;

export const kinds: readonly PacketKind[] = [
  open("client to pod, known", from(client1, plain), pod("open", client1), 80),
  open("pod's answer to a client, known", from(client1, plain), pod("open", client1), 80, { of: "answer" }),
  open("client to node port, pod here, known", from(client1, master), pod("db", client1), 30082),
  open("pod's answer by a node port, known", from(client1, master), pod("db", client1), 30082, { of: "answer" }),
  open("client to node port, pod elsewhere, known", from(client1, master), returned(master, 30089), 30089),
  open("XDP: client to node port, pod elsewhere, known", from(client1, master), returned(master, 30089), 30089, {
    inCard: true,
  }),
  open(
    "the same at the pod's node, wrapped, known",
    forwarded("forward direct", "web", node),
    pod("web", client1),
    30080,
  ),
  open("answer on its way back through the entry node", from(client1, master), returned(master, 30089), 30089, {
    ...{ of: "answer", handling: tunnel },
  }),
  open("pod to pod, here, known", pod("web", db), pod("db", web), 80),
  open("pod to pod elsewhere, wrapped, known", pod("web", web2), overlay(web2, web), 80),
  open("pod from pod elsewhere, wrapped, known", pod("web", web2), overlay(web2, web), 80, { of: "answer" }),
  open("pod from pod elsewhere, plain, known", pod("open", friend), from(friend, plain, node), 80, { of: "answer" }),
  {
    say: "client to the node itself",
    before: [],
    packet: arrives({ source: client1, destination: master }, tcp(5000, 22), ANY),
  },
  {
    say: "node to its pod",
    before: [],
    packet: handed("web", { source: master, destination: web }, tcp(5000, 80), ANY),
  },
  { say: "node to a client", before: [], packet: leaves({ source: master, destination: client1 }, tcp(22, 5000), ANY) },
  { say: "first packet, client to pod", isNew: "port", before: [], packet: from(client1, plain)(tcp(5000, 80, "S")) },
  {
    say: "first packet, node port, pod here",
    isNew: "port",
    before: [],
    packet: from(client1, master)(tcp(5000, 30082, "S")),
  },
  {
    say: "first packet, node port, pod elsewhere",
    isNew: "port",
    before: [],
    packet: from(client1, master)(tcp(5000, 30089, "S")),
  },
  {
    say: "first packet, pod to service",
    isNew: "port",
    before: [],
    packet: pod("web", "10.96.0.12")(tcp(5000, 80, "S")),
  },
  { say: "refused by policy", isNew: "sender", before: [], packet: from(client2, db)(tcp(5000, 80, "S")) },
  { say: "refused by policy, again", isNew: "port", before: [], packet: from(client2, db)(tcp(5000, 80, "S")) },
  {
    say: "XDP: refused by policy, again",
    ...{ inCard: true, isNew: "port" },
    before: [from(client2, db)(tcp(4999, 80, "S"))],
    packet: from(client2, db)(tcp(5000, 80, "S")),
  },
  { say: "forged: the node's own address", before: [], packet: from(master, plain)(tcp(5000, 80, "S")) },
  { say: "forged: a pod's address", before: [], packet: from(friend, plain, client2)(tcp(5000, 80, "S")) },
  {
    say: "ICMP error about a pod's flow",
    before: [from(client1, plain)(tcp(5000, 80, "S"))],
    packet: from(
      gateway,
      plain,
    )(icmpError(3, 4, ip({ source: plain, destination: client1 }, tcp(80, 5000, "A")).subarray(0, 40), 1400)),
  },
];
