// What leaves the cluster from a pool with natOutgoing: with the node's address and a port of its own. `open` and `jail` are in such a
// pool, `web` and `db` are not.
import { gateway, nodes, outside, second } from "../cluster.ts";
import { echo, frame, icmpError, raw, type Transport, tcp, udp } from "../frames.ts";
import { type NodeUnderTest, neighbours } from "../node.ts";
import { sctp } from "../sctp.ts";
import { answers, errorAbout, other, portOf } from "./external.ts";
import { made } from "./sizes.ts";
import {
  about,
  addresses,
  arrives,
  type Ends,
  handed,
  isolated,
  later,
  of,
  type PacketTest,
  leaves as passes,
  type Step,
  sends,
} from "./step.ts";

const { master, node } = nodes;
const { client1, remote } = outside;
/** No route leads there. */
const unreachable = "198.18.0.1";
const { open, web } = addresses;
const DF = 0x4000;
const MORE = 0x2000;
const NONE = new Uint8Array();

const leaves = (protocol: string) =>
  new RegExp(`^forward_external to ${gateway}: ${protocol} \\[?${master}\\]?:([5-9]|[12]\\d)\\d{3} > ${remote}:80$`);
const PING = `forward_external to ${gateway}: icmp ${master} > ${remote}`;
const asks = (transport: Transport, becomes: Step["becomes"], to: { fragment?: number; ttl?: number } = {}) =>
  sends("open", { destination: remote, ...to }, transport, becomes);

/** An error that the node made about a packet that it had translated. */
const madeAbout = (code: readonly [number, number, number?], port: number, becomes: Step["becomes"]): Step => {
  const [type, detail, mtu] = code;
  return {
    ...made({ source: master, destination: master }, [3, 3, NONE], becomes),
    frame: (under: NodeUnderTest, family) =>
      frame(
        of({ source: master, destination: master }, family),
        icmpError(type, detail, about({ source: master, destination: remote }, udp(portOf(under, family), port)), mtu),
      ),
  };
};

/** A pod's flow where the stack hands it to the uplink, and its answers where they come in. */
const behindStack = (to: string, port: number): Step[] => [
  {
    ...passes(
      { source: open as string, destination: to },
      udp(port, 80),
      new RegExp(`^forward_external: udp \\[?${master}\\]?:`),
    ),
    through: "open",
  },
  answers((own) => udp(80, own), `pass_to_stack: udp ${to}:80 > ${open}:${port}`, to),
];

/** A host behind the second card's router. */
const far = second.beyond;
/** What arrives at the second card from there. */
const atSecond = (
  transport: (port: number) => Transport,
  becomes: Step["becomes"],
  { source = far, destination = second.address }: Partial<Ends> = {},
): Step => ({
  program: "from_uplink",
  at: "other",
  frame: (under, family) =>
    frame(of({ source, destination }, family), transport(portOf(under, family, far, second.address)), {
      source: neighbours[second.router] as string,
    }),
  becomes,
});

export const outgoing: readonly PacketTest[] = [
  {
    say: "a pod's connection has the node's address, a port of its own, and answers that reach the pod",
    steps: [
      asks(tcp(46101, 80, "S"), leaves("tcp")),
      answers((port) => tcp(80, port, "SA"), `to_endpoint to open: tcp ${remote}:80 > ${open}:46101`),
      asks(tcp(46101, 80, "A", NONE, { sequence: 1001, acknowledges: 1001 }), leaves("tcp")),
      answers((port) => tcp(80, port, "PA"), `to_endpoint to open: tcp ${remote}:80 > ${open}:46101`),
    ],
    known: { port: 46101, as: ["established"] },
  },
  {
    say: "datagrams, and answers only from where they went",
    steps: [
      asks(udp(6102, 80), leaves("udp")),
      answers((port) => udp(80, port), /^pass_to_stack/, other),
      answers((port) => udp(81, port), /^pass_to_stack/),
      answers((port) => udp(80, port + 1), /^pass_to_stack/),
      answers((port) => udp(80, port), `to_endpoint to open: udp ${remote}:80 > ${open}:6102`),
    ],
  },
  {
    say: "an echo by its identifier",
    steps: [
      asks(echo(6103), PING),
      answers((port) => echo(port + 1, "reply"), /^(pass_to_stack|drop_unrelated)/),
      answers((port) => echo(port, "reply"), `to_endpoint to open: icmp ${remote} > ${open}`),
      answers((port) => echo(port), /^pass_to_stack/),
    ],
  },
  {
    say: "an association, its checksum too",
    steps: [
      asks(sctp(6104, 80, "init", { asks: 7 }), leaves("sctp")),
      answers(
        (port) => sctp(80, port, "initAck", { tag: 7, asks: 9 }),
        `to_endpoint to open: sctp ${remote}:80 > ${open}:6104`,
      ),
    ],
  },
  {
    say: "not to pods and nodes, whatever pool they are in, nor to many",
    handling: { services: true },
    steps: [
      sends(
        "open",
        { destination: "10.245.1.2" },
        udp(6105, 80),
        `to_network to ${node}: udp ${open}:6105 > 10.245.1.2:80`,
      ),
      sends(
        "open",
        { destination: "10.244.0.2" },
        udp(6105, 80),
        `to_endpoint to web: udp ${open}:6105 > 10.244.0.2:80`,
      ),
      sends("open", { destination: node }, udp(6105, 80), /^to_(network|overlay) to .*udp 10.245.0.3:6105/),
    ],
  },
  {
    say: "not to a group or to a subnet's broadcast address",
    family: "IPv4",
    steps: ["224.0.0.251", "172.31.1.255"].map((destination) =>
      sends("open", { destination }, udp(6106, 80), /: udp 10\.245\.0\.3:6106 > /),
    ),
  },
  {
    say: "a router's error about its packets reaches the pod, about the packet that the pod sent",
    steps: [
      asks(udp(6107, 80), leaves("udp")),
      errorAbout(
        (port) => udp(port, 80),
        `to_endpoint to open: icmp ${gateway} > ${open} about udp ${open}:6107 > ${remote}:80`,
        [11, 0],
      ),
      errorAbout((port) => udp(port + 1, 80), /^pass_to_stack/),
    ],
  },
  {
    say: "it learns how much fits the way",
    steps: [
      asks(tcp(6108, 80, "S"), leaves("tcp")),
      errorAbout(
        (port) => tcp(port, 80, "A"),
        `to_endpoint to open: icmp ${gateway} > ${open} about tcp ${open}:6108 > ${remote}:80`,
        [3, 4, 1400],
      ),
    ],
  },
  {
    say: "an error about an echo has the pod's identifier",
    steps: [
      asks(echo(6109), PING),
      errorAbout(
        (port) => echo(port),
        `to_endpoint to open: icmp ${gateway} > ${open} about icmp ${open} > ${remote}`,
        [11, 0],
      ),
      errorAbout((port) => echo(port + 1), /^pass_to_stack/),
    ],
  },
  {
    say: "the pod's error about an answer reaches the host outside, from this node",
    steps: [
      asks(udp(6110, 80), leaves("udp")),
      answers((port) => udp(80, port), /^to_endpoint to open/),
      sends(
        "open",
        { destination: remote },
        icmpError(3, 3, about({ source: remote, destination: open as string }, udp(80, 6110))),
        new RegExp(
          `^to_network to ${gateway}: icmp ${master} > ${remote} about udp ${remote}:80 > \\[?${master}\\]?:\\d+$`,
        ),
      ),
    ],
  },
  {
    say: "the node answers what ends here, as the first hop of the pod",
    steps: [
      asks(
        udp(6111, 80),
        new RegExp(
          `^answer_expired along its connection: time exceeded, ${master} > ${master} about udp \\[?${master}\\]?:\\d+ > ${remote}:80$`,
        ),
        { ttl: 1 },
      ),
      madeAbout([11, 0], 80, `to_endpoint to open: icmp ${master} > ${open} about udp ${open}:6111 > ${remote}:80`),
      asks(udp(6111, 80), / with 4 hops left$/, { ttl: 5 }),
    ],
  },
  {
    say: "and says what fits the link",
    steps: [
      asks(
        udp(6112, 80, Buffer.alloc(1480)),
        new RegExp(
          `^answer_too_big along its connection: at most 1500, ${remote} > ${master} about udp \\[?${master}\\]?:\\d+ > ${remote}:80$`,
        ),
        { fragment: DF },
      ),
      madeAbout(
        [3, 4, 1500],
        80,
        `to_endpoint to open: icmp ${master} > ${open} about udp ${open}:6112 > ${remote}:80`,
      ),
    ],
  },
  {
    say: "fragments in both directions",
    family: "IPv4",
    steps: [
      asks(udp(6113, 80, Buffer.alloc(64)), leaves("udp"), { fragment: MORE }),
      asks(raw(17, Buffer.alloc(64)), `forward_external to ${gateway}: udp ${master} > ${remote}`, { fragment: 9 }),
      ...[MORE, 9].map((fragment): Step => {
        const answer = answers(
          (port) => (fragment === MORE ? udp(80, port, Buffer.alloc(64)) : raw(17, Buffer.alloc(64))),
          /./,
        );
        return {
          ...answer,
          frame: (under, family) =>
            frame(
              { source: remote, destination: master, fragment },
              fragment === MORE ? udp(80, portOf(under, family), Buffer.alloc(64)) : raw(17, Buffer.alloc(64)),
            ),
          becomes: /^to_endpoint to open: udp 203\.0\.113\.5(:80)? > 10\.245\.0\.3(:6113)?$/,
        };
      }),
    ],
  },
  {
    say: "policies judge the pod, in both directions, also when they come later",
    handling: { services: true },
    steps: [
      sends("jail", { destination: client1 }, udp(6114, 80), new RegExp(`^forward_external to ${client1}`)),
      sends("jail", { destination: client1 }, udp(6114, 81), "drop_policy_egress"),
      asks(udp(6115, 80), leaves("udp")),
      { ...answers((port) => udp(80, port), "drop_policy_egress"), policies: [isolated("open", "Egress")] },
      later(asks(udp(6115, 80), "drop_policy_egress")),
    ],
  },
  {
    say: "where there is no route, the stack tells the pod so; what it does route gets the node's address where it leaves",
    steps: [
      sends("open", { destination: unreachable }, udp(6116, 80), `pass_to_stack: udp ${open}:6116 > ${unreachable}:80`),
      ...behindStack(unreachable, 6116),
      sends("open", { destination: unreachable }, udp(6116, 80), `pass_to_stack: udp ${open}:6116 > ${unreachable}:80`),
    ],
  },
  {
    say: "by another uplink with the node's address there, and its answers and errors come back from there",
    steps: [
      sends(
        "open",
        { destination: far },
        udp(6121, 80),
        new RegExp(`^forward_external to ${second.router}: udp \\[?${second.address}\\]?:\\d+ > ${far}:80$`),
      ),
      atSecond((port) => udp(80, port), /^pass_to_stack/, { destination: master }),
      atSecond((port) => udp(80, port), `to_endpoint to open: udp ${far}:80 > ${open}:6121`),
      {
        ...atSecond(
          (port) => icmpError(11, 0, about({ source: second.address, destination: far }, udp(port, 80))),
          `to_endpoint to open: icmp ${second.router} > ${open} about udp ${open}:6121 > ${far}:80`,
          { source: second.router },
        ),
      },
      sends(
        "open",
        { destination: far },
        icmpError(3, 3, about({ source: far, destination: open as string }, udp(80, 6121))),
        new RegExp(
          `^to_network to ${second.router}: icmp ${second.address} > ${far} about udp ${far}:80 > \\[?${second.address}\\]?:\\d+$`,
        ),
      ),
    ],
  },
  {
    say: "a backend outside behind another uplink knows its client by the node's address there",
    handling: { services: true },
    steps: [
      arrives(
        { source: client1, destination: master },
        udp(6124, 30099),
        new RegExp(`^forward_external to ${second.router}: udp \\[?${second.address}\\]?:\\d+ > ${far}:80$`),
      ),
      atSecond((port) => udp(80, port), `return_external to ${client1}: udp ${master}:30099 > ${client1}:6124`),
    ],
  },
  {
    say: "what ends here on the way to another uplink",
    steps: [
      sends(
        "open",
        { destination: far, ttl: 1 },
        udp(6122, 80),
        new RegExp(`^answer_expired along its connection: time exceeded, ${master} > ${second.address} about udp `),
      ),
      {
        ...made({ source: master, destination: second.address }, [3, 3, NONE], /./),
        frame: (under, family) =>
          frame(
            of({ source: master, destination: second.address }, family),
            icmpError(
              11,
              0,
              about({ source: second.address, destination: far }, udp(portOf(under, family, far, second.address), 80)),
            ),
          ),
        becomes: `to_endpoint to open: icmp ${master} > ${open} about udp ${open}:6122 > ${far}:80`,
      },
    ],
  },
  {
    say: "behind the stack, too, it has the address of the uplink where it leaves",
    steps: [
      sends("open", { destination: unreachable }, udp(6123, 80), /^pass_to_stack/),
      {
        ...passes(
          { source: open as string, destination: unreachable },
          udp(6123, 80),
          new RegExp(`^forward_external: udp \\[?${second.address}\\]?:`),
        ),
        ...{ through: "open", at: "other" },
      },
    ],
  },
  {
    say: "kube-proxy's choice of a backend outside likewise; its own translation is undone by the stack",
    handling: { services: false },
    steps: [
      sends("open", { destination: "10.96.0.34" }, udp(6117, 80), `pass_to_stack: udp ${open}:6117 > 10.96.0.34:80`),
      ...behindStack(remote, 6117),
    ],
  },
  {
    say: "behind the stack, an answer to a client that knows the pod's address keeps that; one that nobody asked for is dropped",
    handling: { services: false },
    steps: [
      arrives({ source: remote, destination: open as string, by: gateway }, udp(80, 6119), /^pass_to_stack/),
      handed("open", { source: remote, destination: open as string }, udp(80, 6119), /^to_endpoint/),
      sends("open", { destination: remote }, udp(6119, 80), /^pass_to_stack: udp .*:6119 > /),
      {
        ...passes({ source: open as string, destination: remote }, udp(6119, 80), /^pass_to_stack: udp .*:6119 > /),
        through: "open",
      },
      {
        ...passes({ source: open as string, destination: remote }, echo(6120, "reply"), "drop_unrelated"),
        through: "open",
      },
    ],
  },
  {
    say: "behind the stack, what other senders and pools have sent keeps its source",
    steps: [
      {
        ...passes({ source: client1, destination: remote }, udp(6118, 80), /^pass_to_stack: udp .*:6118/),
        through: "other",
      },
      {
        ...passes({ source: web as string, destination: remote }, udp(6118, 80), /^pass_to_stack: udp .*:6118/),
        through: "web",
      },
      { ...passes({ source: open as string, destination: node }, udp(6118, 80), /:6118 > /), through: "open" },
    ],
  },
];
