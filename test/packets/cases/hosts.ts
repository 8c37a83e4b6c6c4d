// Policies of the node itself: what its own processes send and receive, by its uplink, through the tunnel, and with its own pods.
import { nodes, outside, secondAddress } from "../cluster.ts";
import { echo, icmpError, query, raw, tcp, timestamp, udp } from "../frames.ts";
import { failsafe, type HostPolicies, protocols } from "../hosts.ts";
import {
  about,
  arrives,
  arrivesWrapped,
  enters,
  handed,
  isolated,
  leaves,
  type PacketTest,
  type Step,
  sends,
} from "./step.ts";

const { master, node } = nodes;
const { client1, client2 } = outside;
const [web, open, web2] = ["10.244.0.2", "10.245.0.3", "10.244.1.2"];
const translated = { services: true } as const;

const under = (hosts: HostPolicies, step: Step): Step => ({ ...step, hosts });
const toNode = { source: client1, destination: master } as const;
const fromNode = { source: master, destination: client1 } as const;
/** A policy of Calico's that lets the pods of an app send nothing else. */
const sending = (app: string, rule: object) => ({
  metadata: { name: `${app}-sends`, namespace: "default" },
  spec: { selector: `app == '${app}'`, types: ["Egress"], egress: [{ action: "Allow", ...rule }] },
});
const CLOSED = { ingress: [], egress: [] } as const;

export const hosts: readonly PacketTest[] = [
  {
    say: "a policy of the node lets in what it allows, its answers leave without a rule, and everything else is dropped",
    steps: [
      under({ uplink: { ingress: ["tcp 8080"], egress: [] } }, arrives(toNode, tcp(8001, 8080, "S"), /^pass_to_stack/)),
      leaves(fromNode, tcp(8080, 8001, "SA"), /^pass_to_stack/),
      arrives(toNode, tcp(8001, 8080, "A"), /^pass_to_stack/),
      arrives(toNode, tcp(8002, 8081, "S"), "drop_policy_ingress"),
      arrives(toNode, udp(8003, 8080), "drop_policy_ingress"),
      arrives(toNode, echo(8004), "drop_policy_ingress"),
      arrives({ source: client1, destination: secondAddress }, tcp(8005, 8081, "S"), "drop_policy_ingress"),
      leaves(fromNode, tcp(8006, 80, "S"), "drop_policy_egress"),
      leaves(fromNode, udp(8007, 53), "drop_policy_egress"),
      leaves(fromNode, echo(8008), "drop_policy_egress"),
    ],
  },
  {
    say: "answers to what the node asked come in without a rule; the same packets unasked do not",
    steps: [
      under({ uplink: { ingress: [], egress: ["everything"] } }, arrives(toNode, udp(53, 8011), "drop_policy_ingress")),
      leaves(fromNode, udp(8011, 53), /^pass_to_stack/),
      arrives(toNode, udp(53, 8011), /^pass_to_stack/),
      arrives(toNode, udp(54, 8011), "drop_policy_ingress"),
      leaves(fromNode, tcp(8012, 443, "S"), /^pass_to_stack/),
      arrives(toNode, tcp(443, 8012, "SA"), /^pass_to_stack/),
      leaves(fromNode, tcp(8012, 443, "A"), /^pass_to_stack/),
      leaves(fromNode, echo(8013), /^pass_to_stack/),
      arrives(toNode, echo(8013, "reply"), /^pass_to_stack/),
      arrives(toNode, echo(8014, "reply"), "drop_policy_ingress"),
      arrives(toNode, echo(8013), "drop_policy_ingress"),
    ],
  },
  {
    say: "a direction that no policy isolates stays open",
    steps: [
      under({ uplink: { ingress: [] } }, leaves(fromNode, tcp(8021, 443, "S"), /^pass_to_stack/)),
      under({ uplink: { egress: [] } }, arrives(toNode, tcp(8022, 443, "S"), /^pass_to_stack/)),
    ],
  },
  {
    say: "fail-safe ports are open in their direction whatever policies say, with their answers",
    steps: [
      under(
        { uplink: CLOSED, failsafes: [failsafe("INGRESS", "tcp", 22), failsafe("EGRESS", "udp", 53)] },
        arrives(toNode, tcp(8031, 22, "S"), /^pass_to_stack/),
      ),
      leaves(fromNode, tcp(22, 8031, "SA"), /^pass_to_stack/),
      arrives(toNode, tcp(8031, 22, "A"), /^pass_to_stack/),
      leaves(fromNode, tcp(8032, 22, "S"), "drop_policy_egress"),
      leaves(fromNode, udp(8033, 53), /^pass_to_stack/),
      arrives(toNode, udp(53, 8033), /^pass_to_stack/),
      arrives(toNode, udp(8034, 53), "drop_policy_ingress"),
      arrives(toNode, udp(8035, 22), "drop_policy_ingress"),
    ],
  },
  {
    say: "a fail-safe port may be open for some peers only",
    family: "IPv4",
    steps: [
      under(
        {
          uplink: CLOSED,
          failsafes: [{ ...failsafe("INGRESS", "tcp", 22), prefixLength: 32 + 128, peer: client2 }],
        },
        arrives(toNode, tcp(8041, 22, "S"), "drop_policy_ingress"),
      ),
      arrives({ source: client2, destination: master }, tcp(8042, 22, "S"), /^pass_to_stack/),
    ],
  },
  {
    say: "a connection that a policy no longer allows ends with its next packet, in either direction",
    steps: [
      under(
        { uplink: { ingress: ["tcp 8080"], egress: ["tcp 443"] } },
        arrives(toNode, tcp(8051, 8080, "S"), /^pass_to_stack/),
      ),
      leaves(fromNode, tcp(8080, 8051, "SA"), /^pass_to_stack/),
      arrives(toNode, tcp(8051, 8080, "A"), /^pass_to_stack/),
      leaves(fromNode, tcp(8052, 443, "S"), /^pass_to_stack/),
      arrives(toNode, tcp(443, 8052, "SA"), /^pass_to_stack/),
      under({ uplink: CLOSED }, arrives(toNode, tcp(8051, 8080, "A"), "drop_policy_ingress")),
      leaves(fromNode, tcp(8080, 8051, "A"), "drop_policy_ingress"),
      leaves(fromNode, tcp(8052, 443, "A"), "drop_policy_egress"),
      arrives(toNode, tcp(443, 8052, "A"), "drop_policy_egress"),
    ],
  },
  {
    say: "a TCP connection older than the policies is judged in the direction in which it was opened: nobody listens at its port, so by the node",
    steps: [
      under(
        { uplink: { ingress: [], egress: ["everything"] } },
        arrives(toNode, tcp(443, 8061, "A"), /^pass_to_stack/),
      ),
      leaves(fromNode, tcp(8061, 443, "A"), /^pass_to_stack/),
      under(
        { uplink: { ingress: ["everything"], egress: [] } },
        arrives(toNode, tcp(443, 8062, "A"), "drop_policy_egress"),
      ),
      leaves(fromNode, tcp(8062, 443, "A"), "drop_policy_egress"),
    ],
  },
  {
    say: "protocols without ports are judged and their answers known; of ICMP other messages than echoes are judged one by one",
    family: "IPv4",
    steps: [
      under({ uplink: { ingress: ["gre"], egress: [] } }, leaves(fromNode, raw(protocols.gre), "drop_policy_egress")),
      arrives(toNode, raw(protocols.gre), /^pass_to_stack/),
      leaves(fromNode, raw(protocols.gre), /^pass_to_stack/),
      arrives(toNode, raw(50), "drop_policy_ingress"),
      arrives(toNode, query(1, [5, 0]), "drop_policy_ingress"),
      under({ uplink: { ingress: ["icmp"] } }, arrives(toNode, query(1, [5, 0]), /^pass_to_stack/)),
    ],
  },
  {
    say: "ICMP is judged by its own type and code, and the answers to a query are known",
    steps: [
      under(
        { uplink: { ingress: ["icmp 13/0", "icmp 139/0", "icmp 5/1"], egress: [] } },
        arrives(toNode, timestamp(8301), /^pass_to_stack/),
      ),
      leaves(fromNode, timestamp(8301, "reply"), /^pass_to_stack/),
      leaves(fromNode, timestamp(8302, "reply"), "drop_policy_egress"),
      leaves(fromNode, timestamp(8301), "drop_policy_egress"),
      arrives(toNode, echo(8301), "drop_policy_ingress"),
      arrives(toNode, query(8303, [5, 1]), /^pass_to_stack/),
      arrives(toNode, query(8303, [5, 0]), "drop_policy_ingress"),
      under(
        { uplink: { ingress: ["icmp 8/0", "icmp 128/0"], egress: ["icmp 0/3", "icmp 129/3"] } },
        arrives(toNode, echo(8304), /^pass_to_stack/),
      ),
      arrives(toNode, echo(8304, "request", undefined, 1), "drop_policy_ingress"),
      leaves(fromNode, echo(8304, "reply"), /^pass_to_stack/),
      leaves(fromNode, echo(8304, "reply", undefined, 1), "drop_policy_egress"),
      leaves(fromNode, echo(8304, "reply", undefined, 3), /^pass_to_stack/),
    ],
  },
  {
    say: "an answer of ICMP that the node did not ask for is judged by its type, not by the identifier that its sender chose",
    steps: [
      under(
        { uplink: { ingress: ["icmp 8/0", "icmp 128/0"] } },
        arrives(toNode, echo(0x0800, "reply"), "drop_policy_ingress"),
      ),
      arrives(toNode, echo(0x8000, "reply"), "drop_policy_ingress"),
      under(
        { uplink: { ingress: ["icmp 0/0", "icmp 129/0"] } },
        arrives(toNode, echo(8311, "reply"), /^pass_to_stack/),
      ),
    ],
  },
  {
    say: "errors about the node's packets come in, whatever its policies say",
    steps: [
      under(
        { uplink: { ingress: [], egress: ["everything"] } },
        arrives(toNode, icmpError(3, 4, about(fromNode, tcp(8071, 443), 28), 1400), /^pass_to_stack/),
      ),
    ],
  },
  {
    say: "what the node only forwards is none of its own: pods' packets pass, and the answers to what the stack masqueraded",
    handling: translated,
    steps: [
      under(
        { uplink: CLOSED, any: CLOSED },
        sends("open", { destination: node }, udp(8081, 53), /^to_(network|overlay)/),
      ),
      arrives({ source: client1, destination: open }, tcp(8082, 80, "S"), /^to_endpoint to open/),
      { ...leaves(fromNode, udp(8083, 53), /^pass_to_stack/), through: "open" },
      arrives(toNode, udp(53, 8083), /^pass_to_stack/),
      arrives(toNode, udp(53, 8084), "drop_policy_ingress"),
    ],
  },
  {
    say: "clients of Services are judged by their backend's policy, and by the node's if the backend is the node itself",
    handling: { returnMode: "DSR", services: true },
    steps: [
      under(
        { uplink: { ingress: ["tcp 81"] } },
        arrives({ ...toNode, destination: master }, tcp(8091, 30089, "S"), /^forward_service/),
      ),
      arrivesWrapped(
        { kind: "forward direct", for: "master" },
        { source: client1, destination: node },
        tcp(8092, 30086, "S"),
        "drop_policy_ingress",
      ),
      {
        ...enters({ source: client1, destination: node }, tcp(8094, 30086, "S"), "drop_policy_ingress"),
        program: "from_tunnel",
        tunnel: { node, vni: 2 << 22 }, // forward direct, unwrapped by the kernel's device
      },
      under(
        { uplink: { ingress: ["tcp 80"] } },
        arrivesWrapped(
          { kind: "forward direct", for: "master" },
          { source: client1, destination: node },
          tcp(8093, 30086, "S"),
          /^pass_to_stack/,
        ),
      ),
      leaves(
        { source: master, destination: client1 },
        tcp(80, 8093, "SA"),
        `return_direct: tcp ${node}:30086 > ${client1}:8093`,
      ),
      under(
        { uplink: CLOSED },
        leaves({ source: master, destination: client1 }, tcp(80, 8093, "A"), "drop_policy_ingress"),
      ),
    ],
  },
  {
    say: "a client of a Service without backends is answered in any case",
    handling: translated,
    steps: [under({ uplink: CLOSED, any: CLOSED }, arrives(toNode, tcp(8101, 30087, "S"), /^reject_no_backend/))],
  },
  {
    say: "pods elsewhere come through the tunnel, which has a policy of its own, or that of any interface",
    handling: translated,
    steps: [
      under(
        { uplink: CLOSED, tunnel: { ingress: ["tcp 8080"] } },
        arrivesWrapped(
          { kind: "overlay" },
          { source: web2, destination: master },
          tcp(8111, 8080, "S"),
          /^pass_to_stack/,
        ),
      ),
      enters({ source: master, destination: web2 }, tcp(8080, 8111, "SA"), /^pass_to_stack/),
      arrivesWrapped(
        { kind: "overlay" },
        { source: web2, destination: master },
        tcp(8112, 8081, "S"),
        "drop_policy_ingress",
      ),
      under(
        { any: { ingress: [], egress: ["tcp 80"] } },
        enters({ source: master, destination: web2 }, tcp(8113, 80, "S"), /^pass_to_stack/),
      ),
      arrivesWrapped({ kind: "overlay" }, { source: web2, destination: master }, tcp(80, 8113, "SA"), /^pass_to_stack/),
      enters({ source: master, destination: web2 }, tcp(8114, 81, "S"), "drop_policy_egress"),
      under(
        { uplink: CLOSED },
        arrivesWrapped(
          { kind: "overlay" },
          { source: web2, destination: master },
          tcp(8115, 8081, "S"),
          /^pass_to_stack/,
        ),
      ),
    ],
  },
  {
    say: "the node reaches its own pods whatever policies say, and they reach it unless their way to it is judged",
    steps: [
      under(
        { uplink: CLOSED, any: CLOSED },
        handed("web", { source: master, destination: web }, tcp(8121, 80, "S"), /^to_endpoint/),
      ),
      sends("web", { destination: master }, tcp(80, 8121, "SA"), /^pass_to_stack/),
      sends("web", { destination: master }, tcp(8122, 8080, "S"), /^pass_to_stack/),
    ],
  },
  {
    say: "where pods' way to their node is judged, the answers that the node asked for still come",
    steps: [
      under(
        { any: CLOSED, workloads: { ingress: ["tcp 8080"] } },
        sends("web", { destination: master }, tcp(8131, 8080, "S"), /^pass_to_stack/),
      ),
      handed("web", { source: master, destination: web }, tcp(8080, 8131, "SA"), /^to_endpoint/),
      sends("web", { destination: master }, tcp(8132, 8081, "S"), "drop_policy_ingress"),
      sends("web", { destination: master }, udp(53, 8133), "drop_policy_ingress"),
      handed("web", { source: master, destination: web }, udp(8133, 53), /^to_endpoint/),
      sends("web", { destination: master }, udp(53, 8133), /^pass_to_stack/),
      handed("web", { source: master, destination: web }, tcp(8134, 80, "S"), /^to_endpoint/),
      sends("web", { destination: master }, tcp(80, 8134, "SA"), /^pass_to_stack/),
    ],
  },
  {
    say: "a pod's egress policy of Calico's kinds holds for its own node, Kubernetes' does not, and what the node asked for is answered",
    steps: [
      {
        ...sends("web", { destination: master }, tcp(8135, 8080, "S"), /^pass_to_stack/),
        policies: [isolated("web", "Egress")],
      },
      {
        ...sends("web", { destination: master }, tcp(8132, 8080, "S"), "drop_policy_egress"),
        policies: [isolated("open", "Egress")],
        calicoPolicies: [sending("web", { protocol: "TCP", destination: { ports: [8081] } })],
      },
      sends("web", { destination: master }, tcp(8136, 8080, "S"), "drop_policy_egress"),
      sends("web", { destination: master }, tcp(8137, 8081, "S"), /^pass_to_stack/),
      sends("web", { destination: master }, udp(53, 8138), "drop_policy_egress"),
      sends("web", { destination: secondAddress }, echo(8139), "drop_policy_egress"),
      sends("open", { destination: master }, tcp(8136, 8080, "S"), /^pass_to_stack/),
      handed("web", { source: master, destination: web }, tcp(8140, 80, "S"), /^to_endpoint/),
      sends("web", { destination: master }, tcp(80, 8140, "SA"), /^pass_to_stack/),
      handed("web", { source: master, destination: web }, udp(8138, 53), /^to_endpoint/),
      sends("web", { destination: master }, udp(53, 8138), /^pass_to_stack/),
    ],
  },
  {
    say: "pods that may not reach their node do not reach its fail-safe ports either",
    steps: [
      under(
        { workloads: { ingress: [], closed: true }, failsafes: [failsafe("INGRESS", "tcp", 22)] },
        sends("web", { destination: master }, tcp(8141, 22, "S"), "drop_policy_ingress"),
      ),
      arrives(toNode, tcp(8142, 22, "S"), /^pass_to_stack/),
      arrives(toNode, tcp(8143, 23, "S"), /^pass_to_stack/),
    ],
  },
  {
    say: "the tunnel between nodes is no traffic that policies of the node close",
    handling: translated,
    steps: [
      under({ uplink: CLOSED, any: CLOSED }, sends("web", { destination: web2 }, tcp(8151, 80, "S"), /^to_overlay/)),
      arrivesWrapped(
        { kind: "overlay" },
        { source: web2, destination: web },
        tcp(8152, 80, "S"),
        /^to_endpoint to web/,
      ),
    ],
  },
];
