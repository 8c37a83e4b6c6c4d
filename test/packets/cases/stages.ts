// Policies of host endpoints about other packets than the node's own: before translation, and of what the node forwards.
import { nodes, outside } from "../cluster.ts";
import { echo, tcp, timestamp, udp } from "../frames.ts";
import { failsafe, type HostPolicies } from "../hosts.ts";
import { arrives, arrivesWrapped, leaves, type PacketTest, type Step, sends } from "./step.ts";

const { master, node } = nodes;
const { client1, client2, remote } = outside;
const [web, open, friend] = ["10.244.0.2", "10.245.0.3", "10.245.1.2"];
const translated = { services: true } as const;
const wrapped = { returnMode: "Tunnel", services: true } as const;

const under = (hosts: HostPolicies, step: Step): Step => ({ ...step, hosts });
const toNode = { source: client1, destination: master } as const;
const CLOSED = { ingress: [], egress: [] } as const;
const PINGS = ["icmp 8/0", "icmp 128/0"] as const;

export const stages: readonly PacketTest[] = [
  {
    say: "before translation the node port decides, for a backend here and for one elsewhere; the backend's port does not",
    handling: translated,
    steps: [
      under(
        { uplinkEarly: { ingress: ["!tcp 30082", "!tcp 30089"] } },
        arrives(toNode, tcp(9001, 30082, "S"), "drop_policy_ingress"),
      ),
      arrives(toNode, tcp(9001, 30089, "S"), "drop_policy_ingress"),
      arrives(toNode, tcp(9001, 30084, "S"), /^to_endpoint to web/),
      under({ uplinkEarly: { ingress: ["!tcp 80"] } }, arrives(toNode, tcp(9002, 30082, "S"), /^to_endpoint to db/)),
      arrives(toNode, tcp(9002, 30089, "S"), /^forward_service/),
      arrives({ source: client1, destination: web }, tcp(9002, 80, "S"), "drop_policy_ingress"),
    ],
  },
  {
    say: "a port without a service, and one whose service has no backends, are refused before translation too",
    handling: translated,
    steps: [
      under({ uplinkEarly: { ingress: ["!tcp"] } }, arrives(toNode, tcp(9003, 30087, "S"), "drop_policy_ingress")),
      arrives(toNode, tcp(9003, 8080, "S"), "drop_policy_ingress"),
      arrives(toNode, udp(9003, 8080), /^pass_to_stack/),
    ],
  },
  {
    say: "what is allowed before translation is asked about no more: neither by the node's own policy nor by that of forwarded traffic",
    handling: translated,
    steps: [
      under(
        { uplink: CLOSED, uplinkForwarded: { ingress: [] }, uplinkEarly: { ingress: ["tcp 30082", "tcp 8080"] } },
        arrives(toNode, tcp(9011, 30082, "S"), /^to_endpoint to db/),
      ),
      arrives(toNode, tcp(9011, 30084, "S"), "drop_policy_ingress"),
      arrives(toNode, tcp(9011, 8080, "S"), /^pass_to_stack/),
      leaves({ source: master, destination: client1 }, tcp(8080, 9011, "SA"), /^pass_to_stack/),
      arrives(toNode, tcp(9011, 8081, "S"), "drop_policy_ingress"),
      arrives({ source: client2, destination: master }, tcp(9011, 30082, "S"), "drop_policy_ingress"),
    ],
  },
  {
    say: "fail-safe ports of the node stay open before translation; of what it forwards nothing is one",
    handling: translated,
    steps: [
      under(
        { uplinkEarly: { ingress: ["!everything"] }, failsafes: [failsafe("INGRESS", "tcp", 22)] },
        arrives(toNode, tcp(9021, 22, "S"), /^pass_to_stack/),
      ),
      arrives(toNode, tcp(9021, 23, "S"), "drop_policy_ingress"),
      arrives({ source: client1, destination: open }, tcp(9021, 22, "S"), "drop_policy_ingress"),
    ],
  },
  {
    say: "answers to what was asked from here come in whatever is said before translation",
    handling: translated,
    steps: [
      under(
        { uplinkEarly: { ingress: ["!everything"] } },
        sends("web", { destination: client1 }, udp(9031, 53), /^to_network/),
      ),
      arrives({ source: client1, destination: web }, udp(53, 9031), /^to_endpoint to web/),
      leaves({ source: master, destination: client1 }, tcp(9031, 443, "S"), /^pass_to_stack/),
      arrives(toNode, tcp(443, 9031, "SA"), /^pass_to_stack/),
      arrives({ source: client1, destination: web }, udp(54, 9031), "drop_policy_ingress"),
    ],
  },
  {
    say: "the backend's node does not ask what the entry node has asked before translation, but what it forwards itself",
    handling: wrapped,
    steps: [
      under(
        { uplinkEarly: { ingress: ["!everything"] } },
        arrivesWrapped({ kind: "forward via", for: "web" }, toNode, tcp(9041, 30080, "S"), /^to_endpoint to web/),
      ),
      under(
        { uplinkForwarded: { ingress: ["!everything"] } },
        arrivesWrapped({ kind: "forward via", for: "web" }, toNode, tcp(9042, 30080, "S"), "drop_policy_ingress"),
      ),
    ],
  },
  {
    say: "forwarded traffic is judged after translation, where it comes in and where it leaves; the node's own is not",
    handling: translated,
    steps: [
      under(
        { uplinkForwarded: { ingress: ["tcp 80"], egress: ["udp 53"] } },
        arrives(toNode, tcp(9051, 30082, "S"), /^to_endpoint to db/),
      ),
      arrives({ source: client1, destination: open }, tcp(9051, 81, "S"), "drop_policy_ingress"),
      arrives(toNode, tcp(9051, 30089, "S"), /^forward_service/),
      arrives(toNode, tcp(9051, 8080, "S"), /^pass_to_stack/),
      sends("open", { destination: client1 }, udp(9051, 53), /^forward_external/),
      sends("open", { destination: client1 }, udp(9051, 54), "drop_policy_egress"),
      sends("open", { destination: friend }, udp(9051, 54), "drop_policy_egress"),
      sends("web", { destination: "10.244.1.2" }, udp(9051, 54), /^to_overlay/),
      sends("open", { destination: web }, udp(9051, 54), /^to_endpoint to web/),
      sends("open", { destination: master }, udp(9051, 54), /^pass_to_stack/),
      leaves({ source: master, destination: client1 }, udp(9051, 54), /^pass_to_stack/),
    ],
  },
  {
    say: "what goes to another node wrapped leaves by the tunnel's interface, and comes in by it",
    handling: translated,
    steps: [
      under(
        { tunnelForwarded: { ingress: ["udp 53"], egress: ["udp 53"] } },
        sends("web", { destination: "10.244.1.2" }, udp(9061, 54), "drop_policy_egress"),
      ),
      sends("web", { destination: "10.244.1.2" }, udp(9061, 53), /^to_overlay/),
      arrives(toNode, tcp(9061, 30089, "S"), "drop_policy_egress"),
      arrivesWrapped(
        { kind: "overlay" },
        { source: "10.244.1.2", destination: open },
        udp(9061, 54),
        "drop_policy_ingress",
      ),
      arrivesWrapped(
        { kind: "overlay" },
        { source: "10.244.1.2", destination: open },
        udp(9061, 53),
        /^to_endpoint to open/,
      ),
    ],
  },
  {
    say: "a router's packets are judged twice, and their answers come back",
    handling: translated,
    steps: [
      under(
        { uplinkForwarded: { ingress: ["tcp 443"], egress: ["tcp 443", "tcp 444"] } },
        arrives({ source: client1, destination: remote }, tcp(9071, 443, "S"), /^pass_to_stack/),
      ),
      arrives({ source: client1, destination: remote }, tcp(9071, 444, "S"), "drop_policy_ingress"),
      arrives({ source: remote, destination: client1 }, tcp(443, 9071, "SA"), /^pass_to_stack/),
      under(
        { uplinkForwarded: { ingress: ["tcp 443"], egress: [] } },
        arrives({ source: client1, destination: remote }, tcp(9072, 443, "S"), "drop_policy_egress"),
      ),
    ],
  },
  {
    say: "connections are judged again when what is said before translation changes, in both directions",
    handling: translated,
    steps: [
      arrives(toNode, udp(9081, 30085), /^(to_endpoint|forward_service)/),
      arrives(toNode, tcp(9081, 30082, "S"), /^to_endpoint to db/),
      sends("db", { destination: client1 }, tcp(80, 9081, "SA"), /^(to_network|return_)/),
      under(
        { uplinkEarly: { ingress: ["!tcp 30082", "!udp"] } },
        arrives(toNode, tcp(9081, 30082, "A"), "drop_policy_ingress"),
      ),
      sends("db", { destination: client1 }, tcp(80, 9081, "A"), "drop_policy_ingress"),
      arrives(toNode, udp(9081, 30085), "drop_policy_ingress"),
      under(
        { uplinkForwarded: { ingress: [] } },
        sends("db", { destination: client1 }, tcp(80, 9081, "A"), "drop_policy_ingress"),
      ),
      under({}, arrives(toNode, tcp(9081, 30082, "A"), /^to_endpoint to db/)),
      sends("db", { destination: client1 }, tcp(80, 9081, "A"), /^(to_network|return_)/),
    ],
  },
  {
    say: "at the entry node too, where its answers come back by the tunnel",
    handling: wrapped,
    steps: [
      arrives(toNode, tcp(9091, 30089, "S"), /^forward_service/),
      arrivesWrapped(
        { kind: "return" },
        { source: master, destination: client1 },
        tcp(30089, 9091, "SA"),
        /^return_forwarded/,
      ),
      under(
        { uplinkEarly: { ingress: ["!tcp 30089"] } },
        arrivesWrapped(
          { kind: "return" },
          { source: master, destination: client1 },
          tcp(30089, 9091, "A"),
          "drop_policy_ingress",
        ),
      ),
      arrives(toNode, tcp(9091, 30089, "A"), "drop_policy_ingress"),
      under({}, arrives(toNode, tcp(9091, 30089, "A"), /^forward_service/)),
    ],
  },
  {
    say: "an echo to the node and one to a pod, before translation",
    handling: translated,
    steps: [
      under(
        { uplinkEarly: { ingress: ["!icmp 8/0", "!icmp 128/0"] } },
        arrives(toNode, echo(9101), "drop_policy_ingress"),
      ),
      arrives({ source: client1, destination: open }, echo(9102), "drop_policy_ingress"),
      sends("web", { destination: client1 }, echo(9103), /^to_network/),
      arrives({ source: client1, destination: web }, echo(9103, "reply"), /^to_endpoint to web/),
      arrives({ source: node, destination: master }, echo(9104), "drop_policy_ingress"),
    ],
  },
  {
    say: "doNotTrack lets packets of the node past its other policies, and remembers nothing of them",
    handling: translated,
    steps: [
      under(
        {
          uplink: CLOSED,
          uplinkEarly: { ingress: ["!everything"] },
          uplinkUntracked: { ingress: ["udp 53"], egress: ["udp 9201"] },
        },
        arrives(toNode, udp(9201, 53), /^pass_to_stack/),
      ),
      leaves({ source: master, destination: client1 }, udp(53, 9201), /^pass_to_stack/),
      arrives(toNode, udp(9201, 54), "drop_policy_ingress"),
    ],
    known: { port: 9201, as: [] },
  },
  {
    say: "an answer to what doNotTrack lets out needs a rule of its own",
    handling: translated,
    steps: [
      under(
        { uplink: CLOSED, uplinkUntracked: { ingress: [], egress: ["udp 53"] } },
        leaves({ source: master, destination: client1 }, udp(9211, 53), /^pass_to_stack/),
      ),
      arrives(toNode, udp(53, 9211), "drop_policy_ingress"),
      under(
        { uplink: CLOSED, uplinkUntracked: { ingress: ["udp 9211"], egress: ["udp 53"] } },
        arrives(toNode, udp(53, 9211), /^pass_to_stack/),
      ),
    ],
    known: { port: 9211, as: [] },
  },
  {
    say: "doNotTrack is asked about an ICMP query and its answer by their own types, in both directions",
    handling: translated,
    steps: [
      under(
        { uplink: CLOSED, uplinkUntracked: { ingress: PINGS, egress: [] } },
        arrives(toNode, echo(9251), /^pass_to_stack/),
      ),
      leaves({ source: master, destination: client1 }, echo(9251, "reply"), "drop_policy_egress"),
      arrives(toNode, timestamp(9252), "drop_policy_ingress"),
      under(
        { uplink: CLOSED, uplinkUntracked: { ingress: PINGS, egress: ["icmp 0/0", "icmp 129/0"] } },
        arrives(toNode, echo(9251), /^pass_to_stack/),
      ),
      leaves({ source: master, destination: client1 }, echo(9251, "reply"), /^pass_to_stack/),
      leaves({ source: master, destination: client1 }, echo(9253), "drop_policy_egress"),
      arrives(toNode, echo(9253, "reply"), "drop_policy_ingress"),
    ],
    known: { port: 9251, as: [] },
  },
  {
    say: "TCP that doNotTrack allows both ways has no connection; an answer that no rule of it names is judged by the normal policies",
    handling: translated,
    steps: [
      under(
        { uplink: CLOSED, uplinkUntracked: { ingress: ["tcp 8080"], egress: ["tcp 9261"] } },
        arrives(toNode, tcp(9261, 8080, "S"), /^pass_to_stack/),
      ),
      leaves({ source: master, destination: client1 }, tcp(8080, 9261, "SA"), /^pass_to_stack/),
      arrives(toNode, tcp(9261, 8080, "A"), /^pass_to_stack/),
      arrives(toNode, tcp(9262, 8080, "S"), /^pass_to_stack/),
      leaves({ source: master, destination: client1 }, tcp(8080, 9262, "SA"), "drop_policy_egress"),
      under(
        {
          uplink: { ingress: [], egress: ["everything"] },
          uplinkUntracked: { ingress: ["tcp 8080"], egress: ["tcp 9261"] },
        },
        leaves({ source: master, destination: client1 }, tcp(8080, 9262, "SA"), /^pass_to_stack/),
      ),
    ],
    known: { port: 9261, as: [] },
  },
  {
    say: "what doNotTrack denies is dropped packet by packet, also of a connection that is known; where it leaves it is asked about what the node itself sends",
    handling: translated,
    steps: [
      arrives(toNode, tcp(9221, 30082, "S"), /^to_endpoint to db/),
      sends("db", { destination: client1 }, tcp(80, 9221, "SA"), /^(to_network|return_)/),
      under(
        { uplinkUntracked: { ingress: ["!tcp 30082"] } },
        arrives(toNode, tcp(9221, 30082, "A"), "drop_policy_ingress"),
      ),
      under(
        { uplinkUntracked: { ingress: [], egress: ["!tcp 9221"] } },
        arrives(toNode, tcp(9221, 30082, "A"), /^to_endpoint to db/),
      ),
      leaves({ source: master, destination: client1 }, tcp(8080, 9221, "A"), "drop_policy_egress"),
      {
        ...leaves({ source: client2, destination: client1 }, tcp(8080, 9221, "S"), /^pass_to_stack/),
        through: "other",
      },
      sends("open", { destination: client1 }, tcp(9222, 9221, "S"), /^forward_external/),
    ],
  },
  {
    say: "what doNotTrack allows of forwarded traffic is asked about no more at that interface, and its pod still is",
    handling: translated,
    steps: [
      under(
        {
          uplinkForwarded: { ingress: [] },
          uplinkEarly: { ingress: ["!everything"] },
          uplinkUntracked: { ingress: ["tcp"] },
        },
        arrives(toNode, tcp(9231, 30082, "S"), /^to_endpoint to db/),
      ),
      arrives({ source: client2, destination: master }, tcp(9231, 30082, "S"), "drop_policy_ingress"),
      arrives({ source: client1, destination: open }, udp(9231, 80), "drop_policy_ingress"),
    ],
  },
  {
    say: "fail-safe ports are open for doNotTrack in both directions, with what comes back from them",
    handling: translated,
    steps: [
      under(
        {
          uplinkUntracked: { ingress: ["!everything"], egress: ["!everything"] },
          failsafes: [failsafe("INGRESS", "tcp", 22), failsafe("EGRESS", "udp", 53)],
        },
        arrives(toNode, tcp(9241, 22, "S"), /^pass_to_stack/),
      ),
      leaves({ source: master, destination: client1 }, tcp(22, 9241, "SA"), /^pass_to_stack/),
      leaves({ source: master, destination: client1 }, udp(9241, 53), /^pass_to_stack/),
      arrives(toNode, udp(53, 9241), /^pass_to_stack/),
      arrives(toNode, tcp(9241, 23, "S"), "drop_policy_ingress"),
      leaves({ source: master, destination: client1 }, tcp(23, 9241, "SA"), "drop_policy_egress"),
      arrivesWrapped(
        { kind: "overlay" },
        { source: "10.244.1.2", destination: open },
        udp(9241, 54),
        /^to_endpoint to open/,
      ),
    ],
  },
];
