// Packets that return to their sender: a workload that reaches itself through a service, answers to a node's own requests.
import { nodes, outside, secondAddress } from "../cluster.ts";
import { icmpError, tcp, udp } from "../frames.ts";
import { about, arrives, arrivesWrapped, enters, handed, isolated, leaves, type PacketTest, sends } from "./step.ts";

const { master, node } = nodes;
const { client1, client2 } = outside;
const [db, open, web2, friend] = ["10.244.0.3", "10.245.0.3", "10.244.1.2", "10.245.1.2"];
const translated = { services: true } as const;
const service = "10.96.0.12";

export const own: readonly PacketTest[] = [
  {
    say: "a host that policies have just refused may answer what a pod asks it from the same port",
    handling: translated,
    steps: [
      arrives({ source: client2, destination: db }, udp(53, 7100), "drop_policy_ingress"),
      arrives({ source: client2, destination: db }, udp(53, 7100), "drop_policy_ingress"),
      sends("db", { destination: client2 }, udp(7100, 53), /^to_network/),
      arrives({ source: client2, destination: db }, udp(53, 7100), /^to_endpoint to db/),
      arrives({ source: client2, destination: db }, udp(54, 7100), "drop_policy_ingress"),
    ],
  },
  {
    say: "who was refused is let in as soon as the policy allows it, and refused again as soon as it does not",
    handling: translated,
    steps: [
      sends("open", { destination: db }, tcp(7101, 80, "S"), "drop_policy_ingress"),
      sends("open", { destination: db }, tcp(7102, 80, "S"), "drop_policy_ingress"),
      { ...sends("open", { destination: db }, tcp(7102, 80, "S"), /^to_endpoint to db/), policies: [] },
      {
        ...sends("open", { destination: db }, tcp(7103, 80, "S"), "drop_policy_ingress"),
        policies: [isolated("db", "Ingress")],
      },
    ],
  },
  {
    say: "a pod that reaches itself through a service sees the service as its peer, whatever its policy says",
    handling: translated,
    steps: [
      sends("db", { destination: service }, tcp(7000, 80, "S"), `to_endpoint to db: tcp ${service}:7000 > ${db}:80`),
      sends("db", { destination: service }, tcp(80, 7000, "SA"), `to_endpoint to db: tcp ${service}:80 > ${db}:7000`),
      sends("db", { destination: service }, tcp(7000, 80, "A"), `to_endpoint to db: tcp ${service}:7000 > ${db}:80`),
      sends("db", { destination: service }, tcp(80, 7000, "FA"), `to_endpoint to db: tcp ${service}:80 > ${db}:7000`),
    ],
  },
  {
    say: "the same through a node port, of this node and of another",
    handling: translated,
    steps: [
      sends("db", { destination: master }, tcp(7001, 30082, "S"), `to_endpoint to db: tcp ${master}:7001 > ${db}:80`),
      sends("db", { destination: master }, tcp(80, 7001, "SA"), `to_endpoint to db: tcp ${master}:30082 > ${db}:7001`),
      sends("db", { destination: node }, tcp(7002, 30082, "S"), `to_endpoint to db: tcp ${node}:7002 > ${db}:80`),
      sends("db", { destination: node }, tcp(80, 7002, "SA"), `to_endpoint to db: tcp ${node}:30082 > ${db}:7002`),
    ],
  },
  {
    say: "an error of another node's pod about what this node has sent to it reaches the node's sockets, and none about any other way does",
    handling: translated,
    steps: [
      ...[
        {
          ends: { source: master, destination: web2 },
          becomes: `pass_to_stack: icmp ${web2} > ${master} about udp ${master}:7110 > ${web2}:80`,
        },
        { ends: { source: master, destination: friend }, becomes: "drop_unrelated" },
        { ends: { source: secondAddress, destination: web2 }, becomes: "drop_unrelated" },
        { ends: { source: client1, destination: web2 }, becomes: "drop_unrelated" },
      ].map(({ ends, becomes }) =>
        arrivesWrapped(
          { kind: "overlay" },
          { source: web2, destination: master },
          icmpError(3, 3, about(ends, udp(7110, 80))),
          becomes,
        ),
      ),
      arrivesWrapped(
        { kind: "overlay" },
        { source: node, destination: master },
        icmpError(3, 4, about({ source: master, destination: node }, udp(7110, 4789)), 576),
        "drop_unrelated",
      ),
      arrivesWrapped(
        { kind: "overlay", node: nodes.far },
        { source: web2, destination: master },
        icmpError(3, 3, about({ source: master, destination: web2 }, udp(7110, 80))),
        "drop_spoofed_source",
      ),
      arrivesWrapped(
        { kind: "forward via" },
        { source: client1, destination: master },
        icmpError(3, 3, about({ source: master, destination: client1 }, udp(7110, 80))),
        "drop_unrelated",
      ),
    ],
  },
  {
    say: "errors about its packets come back to it in either direction, as its sockets know the flow",
    handling: translated,
    steps: [
      sends("db", { destination: service }, tcp(7003, 80, "S"), `to_endpoint to db: tcp ${service}:7003 > ${db}:80`),
      sends(
        "db",
        { destination: service },
        icmpError(3, 3, about({ source: service, destination: db }, tcp(7003, 80))),
        `to_endpoint to db: icmp ${service} > ${db} about tcp ${db}:7003 > ${service}:80`,
      ),
      sends("db", { destination: service }, tcp(80, 7003, "SA"), `to_endpoint to db: tcp ${service}:80 > ${db}:7003`),
      sends(
        "db",
        { destination: service },
        icmpError(3, 3, about({ source: service, destination: db }, tcp(80, 7003))),
        `to_endpoint to db: icmp ${service} > ${db} about tcp ${db}:80 > ${service}:7003`,
      ),
    ],
  },
  {
    say: "only its own: another pod's answer to that flow is no answer",
    handling: translated,
    steps: [
      sends("db", { destination: service }, tcp(7004, 80, "S"), /^to_endpoint to db/),
      sends(
        "open",
        { destination: service },
        tcp(80, 7004, "SA"),
        /^(to_network|forward_external|drop|reject|pass_to_stack)/,
      ),
      sends("open", { destination: db }, tcp(80, 7004, "SA"), "drop_policy_ingress"),
    ],
  },
  {
    say: "answers to requests that the node sent from a service's port go to the node; other senders' requests to the service",
    handling: translated,
    steps: [
      leaves(
        { source: master, destination: client1 },
        udp(30081, 53),
        `pass_to_stack: udp ${master}:30081 > ${client1}:53`,
      ),
      arrives(
        { source: client1, destination: master },
        udp(53, 30081),
        `pass_to_stack: udp ${client1}:53 > ${master}:30081`,
      ),
      arrives(
        { source: client1, destination: master },
        udp(54, 30081),
        /^(to_endpoint to (open|db)|forward_service|drop_policy)/,
      ),
    ],
  },
  {
    say: "a pod's answer to a node's request from a service's port goes to the node, from local and remote pods",
    handling: translated,
    steps: [
      handed(
        "open",
        { source: master, destination: open },
        udp(30081, 53),
        `to_endpoint: udp ${master}:30081 > ${open}:53`,
      ),
      sends("open", { destination: master }, udp(53, 30081), `pass_to_stack: udp ${open}:53 > ${master}:30081`),
      sends("open", { destination: master }, udp(54, 30081), /^(to_endpoint to (open|db)|to_overlay|drop_policy)/),
      enters({ source: master, destination: web2 }, udp(30081, 53), `pass_to_stack: udp ${master}:30081 > ${web2}:53`),
      arrivesWrapped(
        { kind: "overlay" },
        { source: web2, destination: master },
        udp(53, 30081),
        `pass_to_stack: udp ${web2}:53 > ${master}:30081`,
      ),
    ],
  },
  {
    say: "a sender that asks the client from the service's port does not take over the client's flow to the service",
    handling: translated,
    steps: [
      arrives({ source: client1, destination: master }, udp(55, 30085), /^(to_endpoint to web|forward_service)/),
      leaves({ source: master, destination: client1 }, udp(30085, 55), /^pass_to_stack/),
      arrives({ source: client1, destination: master }, udp(55, 30085), /^(to_endpoint to web|forward_service)/),
    ],
  },
];
