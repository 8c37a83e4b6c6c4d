// How pods leave the cluster by another node, or by an address that their pool or an EgressGateway names. `open`, `web` and `jail` are pods here, `friend` and
// `web2` those of the node "node".
import { backendAddress, type Egress, gateway, nodes, outside, secondAddress } from "../cluster.ts";
import { frame, icmpError, type Transport, tcp, udp } from "../frames.ts";
import { neighbours } from "../node.ts";
import { OWN_ERROR } from "../words.ts";
import { answers, errorAbout, portOf } from "./external.ts";
import { quotes } from "./quoted.ts";
import {
  about,
  addresses,
  arrives,
  arrivesWrapped,
  later,
  of,
  type PacketTest,
  leaves as passes,
  type Step,
  sends,
} from "./step.ts";

const { master, node, far } = nodes;
const { remote, client1 } = outside;
const { open, web } = addresses as { open: string; web: string };
const [friend, web2] = ["friend", "web2"].map(backendAddress) as [string, string];
const REFUSED = "drop_no_egress_gateway";
/** Towards gateways it is always VXLAN. */
const vxlan = { encapsulation: "VXLAN" } as const;
const overlay = { kind: "overlay", node } as const;

const gatewayAt = (name: string, nodeName: string, spec: object = {}) => ({
  metadata: { name },
  spec: {
    podSelector: "app in {'open', 'friend'}",
    nodeSelector: `kubernetes.io/hostname == '${nodeName}'`,
    ...spec,
  },
});
const by = (nodeName: string, spec: object = {}): Egress => ({ gateways: [gatewayAt("a", nodeName, spec)] });
const under = (egress: Egress, step: Step): Step => ({ ...step, egress });

const asks = (transport: Transport, becomes: Step["becomes"], destination: string = remote) =>
  sends("open", { destination }, transport, becomes);
const wrappedFor = (name: string, packet: string) => `: wrapped for ${name} (overlay): ${packet}`;
const goes = (protocol: string, port: number, to = "node") =>
  new RegExp(`^to_overlay to [^:]+${escaped(wrappedFor(to, `${protocol} ${open}:${port} > ${remote}:80`))}$`);
const escaped = (text: string) => text.replace(/[()[\]]/g, "\\$&");
/** What the gateway wraps for the pod here. */
const comesBack = (transport: Transport, becomes: Step["becomes"], from: string = remote, wrapping: object = overlay) =>
  arrivesWrapped({ ...overlay, ...wrapping }, { source: from, destination: open }, transport, becomes);
/** What another node's pod sends by this one. */
const friendAsks = (transport: Transport, becomes: Step["becomes"], wrapping: object = overlay) =>
  arrivesWrapped({ ...overlay, ...wrapping }, { source: friend, destination: remote }, transport, becomes);
/** A router's word about a wrapped answer from outside. */
const tooBig = (to: string, { mtu, node = nodes.node }: { mtu: number; node?: string }, becomes: Step["becomes"]) =>
  quotes(
    { ...overlay, node },
    { source: remote, destination: to },
    udp(80, 6227, Buffer.alloc(1400)),
    { mtu },
    becomes,
  );
const withSource = (source: string, protocol = "udp") =>
  new RegExp(`^forward_external to ${gateway}: ${protocol} \\[?${source}\\]?:([5-9]|[12]\\d)\\d{3} > ${remote}:80$`);
const answersAt = (address: string, becomes: Step["becomes"]): Step => ({
  ...{ program: "from_uplink", at: "uplink", becomes },
  frame: (now, family) =>
    frame(
      of({ source: remote, destination: address }, family),
      udp(80, portOf(now, family, remote, address)),
      neighbours[gateway] ? { source: neighbours[gateway] } : {},
    ),
});

export const egress: readonly PacketTest[] = [
  {
    say: "the pod's node wraps what leaves the cluster for the gateway, whose answers reach the pod; nobody else's do",
    handling: vxlan,
    steps: [
      under(by("node"), asks(tcp(6201, 80, "S"), goes("tcp", 6201))),
      comesBack(tcp(80, 6201, "SA"), "drop_spoofed_source", remote, { node: far }),
      comesBack(tcp(80, 6202, "SA"), "drop_spoofed_source"),
      comesBack(tcp(80, 6201, "SA"), "drop_spoofed_source", client1),
      comesBack(tcp(80, 6201, "SA"), `to_endpoint to open: tcp ${remote}:80 > ${open}:6201`),
      asks(tcp(6201, 80, "A", undefined, { sequence: 1001, acknowledges: 1001 }), goes("tcp", 6201)),
      comesBack(tcp(80, 6201, "PA"), "drop_spoofed_source", remote, { node: far }),
      comesBack(tcp(80, 6201, "PA"), `to_endpoint to open: tcp ${remote}:80 > ${open}:6201`),
    ],
    known: { port: 6201, as: ["established", "established"] },
  },
  {
    say: "not what stays in the cluster, and what the gateway excepts",
    handling: { ...vxlan, services: true },
    steps: [
      under(by("node", { exceptions: ["203.0.113.0/24"] }), asks(udp(6203, 80), withSource(master))),
      asks(udp(6203, 80), /^to_overlay .*wrapped for node/, "203.0.114.5"),
      asks(udp(6203, 80), `to_endpoint to web: udp ${open}:6203 > ${web}:80`, web),
      asks(udp(6203, 80), `to_network to ${node}: udp ${open}:6203 > ${friend}:80`, friend),
      under(by("node", { destinations: ["198.51.100.0/24"] }), asks(udp(6204, 80), withSource(master))),
      sends("web", { destination: remote }, udp(6205, 80), `to_network to ${gateway}: udp ${web}:6205 > ${remote}:80`),
    ],
  },
  {
    say: "errors on the way, in both directions",
    handling: vxlan,
    steps: [
      under(by("node"), asks(udp(6206, 80), goes("udp", 6206))),
      comesBack(
        icmpError(11, 0, about({ source: open, destination: remote }, udp(6206, 80))),
        `to_endpoint to open: icmp ${gateway} > ${open} about udp ${open}:6206 > ${remote}:80`,
        gateway,
      ),
      comesBack(
        icmpError(11, 0, about({ source: open, destination: remote }, udp(6206, 80))),
        "drop_spoofed_source",
        gateway,
        { node: far },
      ),
      comesBack(
        icmpError(11, 0, about({ source: open, destination: remote }, udp(6206, 80))),
        "drop_spoofed_source",
        web,
      ),
      comesBack(udp(80, 6206), /^to_endpoint to open/),
      asks(
        icmpError(3, 3, about({ source: remote, destination: open }, udp(80, 6206))),
        new RegExp(
          `^to_overlay to ${node}${escaped(wrappedFor("node", `icmp ${open} > ${remote} about udp ${remote}:80 > ${open}:6206`))}$`,
        ),
      ),
    ],
  },
  {
    say: "without a ready gateway nothing leaves, also of flows that began before; another pod's do",
    handling: vxlan,
    steps: [
      asks(udp(6207, 80), /^(forward_external|pass_to_stack)/),
      under(by("gone"), later(asks(udp(6207, 80), REFUSED))),
      asks(tcp(6208, 80, "S"), REFUSED),
      asks(udp(6208, 80), /^(to_endpoint to web|pass_to_stack): udp .*:6208 > /, web),
      sends("jail", { destination: client1 }, udp(6208, 80), /^forward_external/),
    ],
  },
  {
    say: "when the gateway moves, datagrams go by the new one; a connection goes on while its gateway is ready, and ends with it",
    handling: { ...vxlan, services: true },
    steps: [
      under(by("node"), asks(udp(6209, 80), goes("udp", 6209))),
      asks(tcp(6210, 80, "S"), goes("tcp", 6210)),
      comesBack(tcp(80, 6210, "SA"), /^to_endpoint/),
      under(
        { gateways: [gatewayAt("a", "far"), gatewayAt("b", "node")] },
        later(asks(udp(6209, 80), /^to_overlay .*wrapped for far/)),
      ),
      asks(tcp(6210, 80, "A", undefined, { sequence: 1001, acknowledges: 1001 }), goes("tcp", 6210)),
      asks(tcp(6211, 80, "S"), /^to_overlay .*wrapped for far/),
      under(
        by("far"),
        later(asks(tcp(6210, 80, "A", undefined, { sequence: 1001, acknowledges: 1001 }), /^reject_gone/)),
      ),
    ],
  },
  {
    say: "the gateway stands for pods of other nodes; answers, and errors in both directions, go by their node",
    handling: vxlan,
    steps: [
      under(by("master"), friendAsks(udp(6212, 80), withSource(master))),
      answers(
        (port) => udp(80, port),
        new RegExp(`^to_overlay to ${node}${escaped(wrappedFor("node", `udp ${remote}:80 > ${friend}:6212`))}$`),
      ),
      friendAsks(udp(6212, 80), withSource(master)),
      errorAbout(
        (port) => udp(port, 80),
        new RegExp(
          `^to_overlay to ${node}${escaped(wrappedFor("node", `icmp ${gateway} > ${friend} about udp ${friend}:6212 > ${remote}:80`))}$`,
        ),
        [11, 0],
      ),
      friendAsks(
        icmpError(3, 3, about({ source: remote, destination: friend }, udp(80, 6212))),
        new RegExp(
          `^to_network to ${gateway}: icmp ${master} > ${remote} about udp ${remote}:80 > \\[?${master}\\]?:\\d+$`,
        ),
      ),
    ],
  },
  {
    say: "the gateway tells the host outside what fits the way to the pod's node, as routers between them say",
    handling: vxlan,
    steps: [
      under(by("master"), friendAsks(udp(6227, 80), withSource(master))),
      tooBig(
        friend,
        { mtu: 1400 },
        new RegExp(`^answer_too_big along its connection: at most 1350, ${friend} > ${remote} about `),
      ),
      {
        ...arrives(
          { source: friend, destination: remote },
          icmpError(3, 4, about({ source: remote, destination: friend }, udp(80, 6227)), 1350),
          new RegExp(
            `^to_network to ${gateway}: icmp ${master} > ${remote} about udp ${remote}:80 > \\[?${master}\\]?:\\d+$`,
          ),
        ),
        mark: OWN_ERROR,
      },
      tooBig(friend, { mtu: 1400, node: far }, "drop_unrelated"),
      tooBig(web2, { mtu: 1400 }, "drop_unrelated"),
      tooBig(open, { mtu: 1400 }, "drop_unrelated"),
    ],
  },
  {
    say: "connections by the gateway",
    handling: vxlan,
    steps: [
      under(by("master"), friendAsks(tcp(46213, 80, "S"), withSource(master, "tcp"))),
      answers((port) => tcp(80, port, "SA"), /^to_overlay .*wrapped for node/),
      friendAsks(tcp(46213, 80, "A", undefined, { sequence: 1001, acknowledges: 1001 }), withSource(master, "tcp")),
      answers((port) => tcp(80, port, "PA"), /^to_overlay .*wrapped for node/),
    ],
    known: { port: 46213, as: ["established"] },
  },
  {
    say: "only for pods that it was chosen for, from their own node, and only out of the cluster",
    handling: { ...vxlan, services: true },
    steps: [
      under(by("master"), friendAsks(udp(6214, 80), "drop_spoofed_source", { node: far })),
      arrivesWrapped(overlay, { source: web2, destination: remote }, udp(6214, 80), REFUSED),
      arrivesWrapped(overlay, { source: open, destination: remote }, udp(6214, 80), "drop_spoofed_source"),
      arrivesWrapped(overlay, { source: friend, destination: web }, udp(6214, 80), /^to_endpoint to web/),
      arrives({ source: friend, destination: remote, by: node }, udp(6215, 80), /^pass_to_stack/),
      under(by("node"), friendAsks(udp(6215, 80), REFUSED)),
      under(by("master", { exceptions: ["0.0.0.0/0", "::/0"] }), friendAsks(udp(6216, 80), REFUSED)),
    ],
  },
  {
    say: "to destinations of IPv6 only; IPv4, which is within them in the map, leaves as before",
    family: "IPv4",
    handling: vxlan,
    steps: [under(by("node", { destinations: ["::/0"] }), asks(udp(6226, 80), withSource(master)))],
  },
  {
    say: "with the addresses that the gateway names, also for its own pods",
    handling: vxlan,
    steps: [
      under(by("master", { addresses: [secondAddress] }), friendAsks(udp(6217, 80), withSource(secondAddress))),
      answersAt(secondAddress, /^to_overlay .*wrapped for node/),
      asks(udp(6218, 80), withSource(secondAddress)),
      under(by("master", { addresses: ["172.31.1.99"] }), asks(udp(6219, 80), REFUSED)),
      friendAsks(udp(6219, 80), REFUSED),
    ],
  },
  {
    say: "a pool's egress address, which the node must have",
    handling: vxlan,
    steps: [
      under({ poolAddress: secondAddress }, asks(udp(6220, 80), withSource(secondAddress))),
      answersAt(secondAddress, `to_endpoint to open: udp ${remote}:80 > ${open}:6220`),
      under({ poolAddress: "172.31.1.99" }, asks(udp(6221, 80), REFUSED)),
      later(asks(udp(6220, 80), REFUSED)),
      sends("web", { destination: remote }, udp(6221, 80), /^(to_network|pass_to_stack)/),
    ],
  },
  {
    say: "a Service's backend outside the cluster is reached by the gateway",
    handling: { ...vxlan, services: true },
    steps: [
      under(by("node"), asks(udp(6222, 80), goes("udp", 6222), "10.96.0.34")),
      comesBack(udp(80, 6222), `to_endpoint to open: udp 10.96.0.34:80 > ${open}:6222`),
      under(by("gone"), asks(udp(6223, 80), REFUSED, "10.96.0.34")),
    ],
  },
  {
    say: "behind the stack, which knows no gateway, nothing leaves",
    handling: vxlan,
    steps: [
      under(by("node"), {
        ...passes({ source: open, destination: remote }, udp(6224, 80), REFUSED),
        through: "open",
      }),
      under(by("master"), {
        ...passes({ source: friend, destination: remote }, udp(6224, 80), REFUSED),
        through: "uplink",
      }),
      {
        ...passes(
          { source: open, destination: remote },
          udp(6225, 80),
          new RegExp(`^forward_external: udp \\[?${master}`),
        ),
        through: "open",
      },
    ],
  },
];
