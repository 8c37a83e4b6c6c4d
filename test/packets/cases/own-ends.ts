// Policies of host endpoints whose rules tell the end of a flow on their own side: the packet's, not the host endpoint's.
import { nodes, outside, secondAddress } from "../cluster.ts";
import { tcp, udp } from "../frames.ts";
import type { HostPolicies } from "../hosts.ts";
import { arrives, leaves, type PacketTest, type Step, sends } from "./step.ts";

const { master } = nodes;
const { client1, client2, remote } = outside;
const [web, open] = ["10.244.0.2", "10.245.0.3"];
const translated = { services: true } as const;
const toNode = { source: client2, destination: master } as const;

const under = (hosts: HostPolicies, step: Step): Step => ({ ...step, hosts });
const OPEN = { ingress: ["everything"], egress: ["everything"] } as const;

/** So that the address is told from others. */
const naming = (address: string) => ({
  metadata: { name: "naming", namespace: "default" },
  spec: { selector: "app == 'open'", ingress: [{ action: "Allow", source: { nets: [`${address}/32`] } }] },
});

export const ownEnds: readonly PacketTest[] = [
  {
    say: "of what the node itself sends and receives its address is told, whatever interface it is of",
    steps: [
      {
        ...arrives({ source: client1, destination: secondAddress }, tcp(9361, 80, "S"), "drop_policy_ingress"),
        calicoPolicies: [naming(secondAddress)],
        hosts: { uplink: { ...OPEN, instead: { [secondAddress]: { ingress: ["tcp 81"], egress: ["udp 53"] } } } },
      },
      arrives({ source: client1, destination: secondAddress }, tcp(9361, 81, "S"), /^pass_to_stack/),
      arrives({ source: client1, destination: master }, tcp(9361, 80, "S"), /^pass_to_stack/),
      leaves({ source: secondAddress, destination: client1 }, udp(9362, 54), "drop_policy_egress"),
      leaves({ source: secondAddress, destination: client1 }, udp(9362, 53), /^pass_to_stack/),
      leaves({ source: master, destination: client1 }, udp(9362, 54), /^pass_to_stack/),
    ],
  },
  {
    say: "pods meet the node by the address that they use",
    steps: [
      {
        ...sends("web", { destination: secondAddress }, tcp(9363, 80, "S"), "drop_policy_ingress"),
        calicoPolicies: [naming(secondAddress)],
        hosts: { workloads: { ...OPEN, instead: { [secondAddress]: { ingress: ["tcp 81"] } } } },
      },
      sends("web", { destination: secondAddress }, tcp(9363, 81, "S"), /^pass_to_stack/),
      sends("web", { destination: master }, tcp(9363, 80, "S"), /^pass_to_stack/),
    ],
  },
  {
    say: "what is forwarded to one pod is judged by the rules that name it, to others by those for anybody: after translation",
    handling: translated,
    steps: [
      under(
        { uplinkForwarded: { ...OPEN, instead: { [web]: { ingress: ["tcp 81"] } } } },
        arrives({ source: client2, destination: web }, tcp(9301, 80, "S"), "drop_policy_ingress"),
      ),
      arrives({ source: client2, destination: web }, tcp(9301, 81, "S"), /^to_endpoint to web/),
      arrives({ source: client2, destination: open }, tcp(9301, 80, "S"), /^to_endpoint to open/),
      arrives(toNode, tcp(9301, 30084, "S"), "drop_policy_ingress"),
      arrives(toNode, tcp(9301, 8080, "S"), /^pass_to_stack/),
    ],
  },
  {
    say: "what one pod sends out of the node is judged by the rules that name it, whoever the other end is",
    handling: translated,
    steps: [
      under(
        { uplinkForwarded: { ...OPEN, instead: { [web]: { egress: ["udp 53"] } } } },
        sends("web", { destination: client2 }, udp(9311, 54), "drop_policy_egress"),
      ),
      sends("web", { destination: client1 }, udp(9311, 54), "drop_policy_egress"),
      sends("web", { destination: client2 }, udp(9311, 53), /^(to_network|forward_external)/),
      sends("open", { destination: client2 }, udp(9311, 54), /^forward_external/),
      arrives({ source: client2, destination: web }, udp(9312, 54), /^to_endpoint to web/),
    ],
  },
  {
    say: "of what a router passes on between others the ends are told too",
    handling: translated,
    steps: [
      under(
        { uplinkForwarded: { ...OPEN, instead: { [client1]: { ingress: [], egress: [] } } } },
        arrives({ source: client1, destination: remote }, tcp(9321, 443, "S"), "drop_policy_egress"),
      ),
      arrives({ source: remote, destination: client1 }, tcp(9322, 443, "S"), "drop_policy_ingress"),
      arrives({ source: client2, destination: remote }, tcp(9323, 443, "S"), /^pass_to_stack/),
    ],
  },
  {
    say: "before translation the end is what the client wrote",
    handling: translated,
    steps: [
      under(
        { uplinkEarly: { ingress: [], instead: { [web]: { ingress: ["!tcp"] } } } },
        arrives({ source: client2, destination: web }, tcp(9331, 80, "S"), "drop_policy_ingress"),
      ),
      arrives({ source: client2, destination: web }, udp(9331, 80), /^to_endpoint to web/),
      arrives(toNode, tcp(9331, 30084, "S"), /^to_endpoint to web/),
    ],
  },
  {
    say: "doNotTrack tells the ends of each packet, also of known connections",
    handling: translated,
    steps: [
      arrives({ source: client2, destination: web }, tcp(9341, 80, "S"), /^to_endpoint to web/),
      under(
        {
          uplinkUntracked: {
            ...{ ingress: [], egress: ["!udp"] },
            instead: { [web]: { ingress: ["!tcp"], egress: ["!udp"] } },
          },
        },
        arrives({ source: client2, destination: web }, tcp(9341, 80, "A"), "drop_policy_ingress"),
      ),
      arrives({ source: client2, destination: open }, tcp(9341, 80, "S"), /^to_endpoint to open/),
      leaves({ source: master, destination: client2 }, udp(9341, 53), "drop_policy_egress"),
      sends("web", { destination: client2 }, udp(9341, 53), /^to_network/),
    ],
  },
  {
    say: "known connections are judged again when rules about their ends come",
    handling: translated,
    steps: [
      arrives(toNode, tcp(9351, 30084, "S"), /^to_endpoint to web/),
      under(
        { uplinkForwarded: { ...OPEN, instead: { [web]: { ingress: [] } } } },
        arrives(toNode, tcp(9351, 30084, "A"), "drop_policy_ingress"),
      ),
    ],
  },
];
