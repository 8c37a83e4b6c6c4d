// Packet paths as each node sees them: between pods, to services, through node ports of both nodes, and back.
import { nodes, outside } from "../cluster.ts";
import { echo, icmpError, query, tcp, timestamp, udp } from "../frames.ts";
import { about, arrives, arrivesWrapped, handed, leaves, type PacketTest, sends } from "./step.ts";

const { master, node } = nodes;
const { client1, client2, remote } = outside;
const [web, db, jail, open] = ["10.244.0.2", "10.244.0.3", "10.245.0.2", "10.245.0.3"];
const [web2, friend, web3] = ["10.244.1.2", "10.245.1.2", "10.244.2.2"];
const direct = { returnMode: "DSR", services: true } as const;
const wrapped = { returnMode: "Tunnel", services: true } as const;
const translated = { services: true } as const;

export const walks: readonly PacketTest[] = [
  {
    say: "pod to pod on one node: both policies, source intact, and the answer",
    handling: translated,
    steps: [
      sends("web", { destination: db }, tcp(4000, 80, "S"), `to_endpoint to db: tcp ${web}:4000 > ${db}:80`),
      sends("db", { destination: web }, tcp(80, 4000, "SA"), `to_endpoint to web: tcp ${db}:80 > ${web}:4000`),
      sends("web", { destination: db }, tcp(4000, 81, "S"), "drop_policy_ingress"),
      sends("open", { destination: db }, tcp(4000, 80, "S"), "drop_policy_ingress"),
      sends("jail", { destination: open }, tcp(4000, 80, "S"), "drop_policy_egress"),
      sends("jail", { destination: web }, tcp(4000, 80, "S"), `to_endpoint to web: tcp ${jail}:4000 > ${web}:80`),
      sends("web", { destination: jail }, tcp(4000, 80, "S"), "drop_policy_ingress"),
      sends("web", { destination: open }, echo(7), `to_endpoint to open: icmp ${web} > ${open}`),
      sends("open", { destination: web }, echo(7, "reply"), `to_endpoint to web: icmp ${open} > ${web}`),
    ],
  },
  {
    say: "ICMP between pods: every query that hosts answer is a flow, an answer that nobody asked for is none, and other messages are dropped",
    handling: translated,
    steps: [
      sends("web", { destination: open }, timestamp(21), `to_endpoint to open: icmp ${web} > ${open}`),
      sends("open", { destination: web }, timestamp(21, "reply"), `to_endpoint to web: icmp ${open} > ${web}`),
      sends("open", { destination: web }, timestamp(22, "reply"), "drop_unrelated"),
      sends("open", { destination: web }, echo(21, "reply"), "drop_unrelated"),
      sends(
        "web",
        { destination: open },
        echo(23, "request", undefined, 5),
        `to_endpoint to open: icmp ${web} > ${open}`,
      ),
      sends("open", { destination: web }, echo(23, "reply", undefined, 5), `to_endpoint to web: icmp ${open} > ${web}`),
      sends("open", { destination: web }, echo(23, "reply"), "drop_unrelated"),
      sends("web", { destination: open }, query(24, [10, 0], [150, 0]), "drop_unsupported"),
      sends("open", { destination: jail }, timestamp(25), "drop_policy_ingress"),
    ],
  },
  {
    say: "pod to pod of another node: wrapped from the overlay's pool, plain from the other",
    handling: translated,
    steps: [
      sends(
        "web",
        { destination: web2 },
        tcp(4001, 80, "S"),
        `to_overlay to ${node}: wrapped for node (overlay): tcp ${web}:4001 > ${web2}:80`,
      ),
      arrivesWrapped(
        { kind: "overlay" },
        { source: web2, destination: web },
        tcp(80, 4001, "SA"),
        `to_endpoint to web: tcp ${web2}:80 > ${web}:4001`,
      ),
      sends(
        "open",
        { destination: friend },
        tcp(4001, 80, "S"),
        `to_network to ${node}: tcp ${open}:4001 > ${friend}:80`,
      ),
      arrives(
        { source: friend, destination: open, by: node },
        tcp(80, 4001, "SA"),
        `to_endpoint to open: tcp ${friend}:80 > ${open}:4001`,
      ),
      sends("web", { destination: web3 }, udp(4001, 80), /^to_overlay to 172.31.1.1: wrapped for far \(overlay\): udp/),
    ],
  },
  {
    say: "packets from another node's pods are judged by those pods' identities",
    handling: translated,
    steps: [
      arrivesWrapped(
        { kind: "overlay" },
        { source: web2, destination: db },
        tcp(4002, 80, "S"),
        `to_endpoint to db: tcp ${web2}:4002 > ${db}:80`,
      ),
      arrivesWrapped(
        { kind: "overlay" },
        { source: web2, destination: jail },
        tcp(4002, 80, "S"),
        "drop_policy_ingress",
      ),
      arrivesWrapped(
        { kind: "overlay" },
        { source: node, destination: web },
        tcp(4003, 80, "S"),
        `to_endpoint to web: tcp ${node}:4003 > ${web}:80`,
      ),
    ],
  },
  {
    say: "pod to a cluster address: judged and sent as its backend, answered as the service",
    handling: translated,
    steps: [
      sends("web", { destination: "10.96.0.12" }, tcp(4004, 80, "S"), `to_endpoint to db: tcp ${web}:4004 > ${db}:80`),
      sends("db", { destination: web }, tcp(80, 4004, "SA"), `to_endpoint to web: tcp 10.96.0.12:80 > ${web}:4004`),
      sends("web", { destination: "10.96.0.12" }, tcp(4004, 80, "A"), `to_endpoint to db: tcp ${web}:4004 > ${db}:80`),
      sends("open", { destination: "10.96.0.12" }, tcp(4004, 80, "S"), "drop_policy_ingress"),
      sends("open", { destination: "10.96.0.17" }, tcp(4004, 80, "S"), /^reject_no_backend/),
      sends(
        "web",
        { destination: "10.96.0.19" },
        tcp(4005, 80, "S"),
        `to_overlay to ${node}: wrapped for node (overlay): tcp ${web}:4005 > ${web2}:80`,
      ),
      arrivesWrapped(
        { kind: "overlay" },
        { source: web2, destination: web },
        tcp(80, 4005, "SA"),
        `to_endpoint to web: tcp 10.96.0.19:80 > ${web}:4005`,
      ),
    ],
  },
  {
    say: "a pod to a cluster address of internal traffic policy Local: always a backend here",
    handling: translated,
    // All of eight by chance, where half of the backends are elsewhere: once in 256 runs of a wrong program.
    steps: Array.from({ length: 8 }, (_, index) =>
      sends(
        "db",
        { destination: "10.96.0.14" },
        tcp(4900 + index, 80, "S"),
        `to_endpoint to web: tcp ${db}:${4900 + index} > ${web}:80`,
      ),
    ),
  },
  {
    say: "client to a node port, backend here: only the destination changes; answered as the node",
    handling: translated,
    steps: [
      arrives(
        { source: client1, destination: master },
        tcp(5000, 30082, "S"),
        `to_endpoint to db: tcp ${client1}:5000 > ${db}:80`,
      ),
      sends(
        "db",
        { destination: client1 },
        tcp(80, 5000, "SA"),
        `to_network to ${client1}: tcp ${master}:30082 > ${client1}:5000`,
      ),
      arrives(
        { source: client1, destination: master },
        tcp(5000, 30082, "A"),
        `to_endpoint to db: tcp ${client1}:5000 > ${db}:80`,
      ),
      arrives({ source: client2, destination: master }, tcp(5000, 30082, "S"), "drop_policy_ingress"),
      arrives({ source: client1, destination: master }, tcp(5001, 30087, "S"), /^reject_no_backend/),
      arrives({ source: client1, destination: master }, tcp(5001, 30083, "S"), "drop_no_local_backend"),
      arrives(
        { source: client1, destination: master },
        tcp(5001, 30084, "S"),
        `to_endpoint to web: tcp ${client1}:5001 > ${web}:80`,
      ),
      arrives({ source: remote, destination: "198.51.100.7" }, tcp(5002, 8080, "S"), "drop_unknown_endpoint"),
    ],
  },
  {
    say: "client to a node port, backend elsewhere, direct return: wrapped as it came, the answer does not pass this node",
    handling: direct,
    steps: [
      arrives(
        { source: client1, destination: master },
        tcp(5003, 30089, "S"),
        `forward_service to ${node}: wrapped for node (forward, reply direct, backend ${web2}): tcp ${client1}:5003 > ${master}:30089`,
      ),
      arrives(
        { source: client1, destination: master },
        tcp(5003, 30089, "A"),
        `forward_service to ${node}: wrapped for node (forward, reply direct, backend ${web2}): tcp ${client1}:5003 > ${master}:30089`,
      ),
    ],
  },
  {
    say: "client to a node port, backend elsewhere, through the tunnel: wrapped as it came, the answer wrapped too and forwarded",
    handling: wrapped,
    steps: [
      arrives(
        { source: client1, destination: master },
        tcp(5004, 30089, "S"),
        `forward_service to ${node}: wrapped for node (forward, reply wrapped, backend ${web2}): tcp ${client1}:5004 > ${master}:30089`,
      ),
      arrivesWrapped(
        { kind: "return" },
        { source: master, destination: client1 },
        tcp(30089, 5004, "SA"),
        `return_forwarded to ${client1}: tcp ${master}:30089 > ${client1}:5004`,
      ),
    ],
  },
  {
    say: "wrapped by the entry node, backend here: the answer leaves directly, as the entry node",
    handling: translated,
    steps: [
      arrivesWrapped(
        { kind: "forward direct", for: "db" },
        { source: client1, destination: node },
        tcp(5005, 30082, "S"),
        `to_endpoint to db: tcp ${client1}:5005 > ${db}:80`,
      ),
      sends(
        "db",
        { destination: client1 },
        tcp(80, 5005, "SA"),
        `return_direct to ${client1}: tcp ${node}:30082 > ${client1}:5005`,
      ),
      arrivesWrapped(
        { kind: "forward direct", for: "db" },
        { source: client2, destination: node },
        tcp(5005, 30082, "S"),
        "drop_policy_ingress",
      ),
      arrivesWrapped(
        { kind: "forward direct" },
        { source: client1, destination: node },
        tcp(5006, 30083, "S"),
        "drop_no_local_backend",
      ),
      arrivesWrapped(
        { kind: "forward direct" },
        { source: client1, destination: node },
        tcp(5006, 31000, "S"),
        "drop_no_local_backend",
      ),
    ],
  },
  {
    say: "wrapped by the entry node, backend here: the answer goes back wrapped",
    handling: translated,
    steps: [
      arrivesWrapped(
        { kind: "forward via", for: "web" },
        { source: client2, destination: node },
        tcp(5007, 30080, "S"),
        `to_endpoint to web: tcp ${client2}:5007 > ${web}:80`,
      ),
      sends(
        "web",
        { destination: client2 },
        tcp(80, 5007, "SA"),
        `return_via_entry to ${node}: wrapped for node (return): tcp ${node}:30080 > ${client2}:5007`,
      ),
    ],
  },
  {
    say: "a backend on the node's own network: its answer meets the egress hook",
    handling: translated,
    steps: [
      arrivesWrapped(
        { kind: "forward via", for: "master" },
        { source: client1, destination: node },
        tcp(5008, 30086, "S"),
        `pass_to_stack: tcp ${client1}:5008 > ${master}:80`,
      ),
      leaves(
        { source: master, destination: client1 },
        tcp(80, 5008, "SA"),
        `return_via_entry to ${node}: wrapped for node (return): tcp ${node}:30086 > ${client1}:5008`,
      ),
      arrivesWrapped(
        { kind: "forward direct", for: "master" },
        { source: client1, destination: node },
        tcp(5009, 30086, "S"),
        `pass_to_stack: tcp ${client1}:5009 > ${master}:80`,
      ),
      leaves(
        { source: master, destination: client1 },
        tcp(80, 5009, "SA"),
        `return_direct: tcp ${node}:30086 > ${client1}:5009`,
      ),
    ],
  },
  {
    say: "the node and its pods reach each other, whatever policies say",
    steps: [
      handed(
        "jail",
        { source: master, destination: jail },
        tcp(6000, 80, "S"),
        `to_endpoint: tcp ${master}:6000 > ${jail}:80`,
      ),
      sends(
        "jail",
        { destination: master },
        tcp(6001, 10250, "S"),
        `pass_to_stack: tcp ${jail}:6001 > ${master}:10250`,
      ),
    ],
  },
  {
    say: "pod to outside: with the node's address from a pool with natOutgoing (outgoing.ts), as it is from the other",
    handling: translated,
    steps: [
      sends("open", { destination: remote }, udp(6002, 53), /^forward_external to /),
      sends("web", { destination: remote }, udp(6002, 53), `to_network to 172.31.1.1: udp ${web}:6002 > ${remote}:53`),
      sends("jail", { destination: remote }, udp(6002, 53), "drop_policy_egress"),
    ],
  },
  {
    say: "outside to a pod's address: judged by the client's address",
    handling: translated,
    steps: [
      arrives(
        { source: client1, destination: db },
        tcp(6003, 80, "S"),
        `to_endpoint to db: tcp ${client1}:6003 > ${db}:80`,
      ),
      arrives({ source: client2, destination: db }, tcp(6003, 80, "S"), "drop_policy_ingress"),
      arrives(
        { source: client2, destination: open },
        udp(6003, 80),
        `to_endpoint to open: udp ${client2}:6003 > ${open}:80`,
      ),
      sends(
        "open",
        { destination: client2 },
        udp(80, 6003),
        `to_network to ${client2}: udp ${open}:80 > ${client2}:6003`,
      ),
    ],
  },
  {
    say: "an error about a translated packet is translated, inside too, and reaches that packet's sender",
    handling: translated,
    steps: [
      arrives(
        { source: client1, destination: master },
        tcp(6004, 30082, "S"),
        `to_endpoint to db: tcp ${client1}:6004 > ${db}:80`,
      ),
      sends(
        "db",
        { destination: client1 },
        tcp(80, 6004, "SA"),
        `to_network to ${client1}: tcp ${master}:30082 > ${client1}:6004`,
      ),
      arrives(
        { source: "172.31.1.1", destination: master },
        icmpError(3, 4, about({ source: master, destination: client1 }, tcp(30082, 6004)), 1400),
        `to_endpoint to db: icmp 172.31.1.1 > ${db} about tcp ${db}:80 > ${client1}:6004`,
      ),
      sends(
        "db",
        { destination: client1 },
        icmpError(3, 3, about({ source: client1, destination: db }, tcp(6004, 80))),
        `to_network to ${client1}: icmp ${master} > ${client1} about tcp ${client1}:6004 > ${master}:30082`,
      ),
    ],
  },
  {
    say: "an error about a forwarded packet goes to the backend's node",
    handling: wrapped,
    steps: [
      arrives({ source: client1, destination: master }, tcp(6005, 30089, "S"), /^forward_service/),
      arrivesWrapped(
        { kind: "return" },
        { source: master, destination: client1 },
        tcp(30089, 6005, "SA"),
        /^return_forwarded/,
      ),
      arrives(
        { source: "172.31.1.1", destination: master },
        icmpError(3, 4, about({ source: master, destination: client1 }, tcp(30089, 6005)), 1400),
        `forward_service to ${node}: wrapped for node (forward, reply wrapped): icmp 172.31.1.1 > ${master} about tcp ${master}:30089 > ${client1}:6005`,
      ),
    ],
  },
  {
    say: "while kube-proxy handles services everything passes the stack, judged behind it",
    handling: { services: false },
    steps: [
      arrives(
        { source: client1, destination: master },
        tcp(6006, 30082, "S"),
        `pass_to_stack: tcp ${client1}:6006 > ${master}:30082`,
      ),
      handed(
        "db",
        { source: client1, destination: db },
        tcp(6006, 80, "S"),
        `to_endpoint: tcp ${client1}:6006 > ${db}:80`,
      ),
      sends("db", { destination: client1 }, tcp(80, 6006, "SA"), `pass_to_stack: tcp ${db}:80 > ${client1}:6006`),
      handed("db", { source: client2, destination: db }, tcp(6006, 80, "S"), "drop_policy_ingress"),
    ],
  },
];
