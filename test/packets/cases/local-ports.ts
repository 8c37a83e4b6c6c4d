// Ports of nodes of Services with externalTrafficPolicy: Local, asked by senders inside the cluster: each node has its own backends only, as Kubernetes'
// spec of terminating endpoints has it, but for what asks at its own node.
import { backendAddress, nodes } from "../cluster.ts";
import { icmpError, tcp, udp } from "../frames.ts";
import { about, arrivesWrapped, enters, later, type PacketTest, sends } from "./step.ts";

const { master, node } = nodes;
const web = backendAddress("web");
const open = backendAddress("open");
const web2 = backendAddress("web2");
const friend = backendAddress("friend");
/** Backends here and on `node`; on `node` alone; the two nodes themselves. */
const [BOTH, ELSEWHERE, HOSTS] = [30084, 30083, 30103];
const translated = { services: true } as const;
const overlay = { kind: "overlay" } as const;

export const localPorts: readonly PacketTest[] = [
  {
    say: "a pod that asks at another node's port leaves the choice to that node, at its own it may have any backend",
    handling: translated,
    steps: [
      sends(
        "web",
        { destination: node },
        tcp(9501, BOTH, "S"),
        new RegExp(`^to_.*: tcp ${web}:9501 > ${node}:${BOTH}$`),
      ),
      sends("web", { destination: node }, tcp(9502, ELSEWHERE, "S"), new RegExp(`^to_.* > ${node}:${ELSEWHERE}$`)),
      sends(
        "open",
        { destination: node },
        tcp(9502, BOTH, "S"),
        new RegExp(`^to_.*: tcp ${open}:9502 > ${node}:${BOTH}$`),
      ),
      sends(
        "web",
        { destination: master },
        tcp(9503, ELSEWHERE, "S"),
        new RegExp(`^to_overlay.*: tcp ${web}:9503 > ${web2}:80$`),
      ),
      sends(
        "web",
        { destination: node },
        tcp(9504, 30089, "S"),
        new RegExp(`^to_overlay.*: tcp ${web}:9504 > ${web2}:80$`),
      ),
    ],
  },
  {
    say: "each later datagram is one of the same flow",
    handling: translated,
    steps: [
      sends("web", { destination: node }, udp(9505, 30104), new RegExp(`^to_.*: udp ${web}:9505 > ${node}:30104$`)),
      arrivesWrapped(
        overlay,
        { source: node, destination: web },
        udp(30104, 9505),
        `to_endpoint to web: udp ${node}:30104 > ${web}:9505`,
      ),
      later(
        sends("web", { destination: node }, udp(9505, 30104), new RegExp(`^to_.*: udp ${web}:9505 > ${node}:30104$`)),
      ),
      later(
        sends("web", { destination: node }, udp(9505, 30104), new RegExp(`^to_.*: udp ${web}:9505 > ${node}:30104$`)),
      ),
      later(
        sends("web", { destination: node }, udp(9505, 30104), new RegExp(`^to_.*: udp ${web}:9505 > ${node}:30104$`)),
      ),
    ],
    known: { port: 9505, as: ["established", "established"] },
  },
  {
    say: "a pod of another node that asks here is given a backend here, and has its answer from the port that it asked",
    handling: translated,
    steps: [
      arrivesWrapped(
        overlay,
        { source: web2, destination: master },
        tcp(9511, BOTH, "S"),
        `to_endpoint to web: tcp ${web2}:9511 > ${web}:80`,
      ),
      sends(
        "web",
        { destination: web2 },
        tcp(80, 9511, "SA"),
        new RegExp(`^to_overlay.*: tcp ${master}:${BOTH} > ${web2}:9511$`),
      ),
      arrivesWrapped(overlay, { source: web2, destination: master }, tcp(9511, BOTH, "A"), /^to_endpoint to web/),
      arrivesWrapped(
        overlay,
        { source: web2, destination: master },
        tcp(9512, ELSEWHERE, "S"),
        "drop_no_local_backend",
      ),
    ],
  },
  {
    say: "a process of this node answers a pod of another node from the port that it asked, and so do errors about it",
    handling: translated,
    steps: [
      arrivesWrapped(
        overlay,
        { source: web2, destination: master },
        tcp(9521, HOSTS, "S"),
        `pass_to_stack: tcp ${web2}:9521 > ${master}:80`,
      ),
      enters(
        { source: master, destination: web2 },
        tcp(80, 9521, "SA"),
        `to_network: tcp ${master}:${HOSTS} > ${web2}:9521`,
      ),
      arrivesWrapped(overlay, { source: web2, destination: master }, tcp(9522, HOSTS, "S"), /^pass_to_stack/),
      enters(
        { source: master, destination: web2 },
        icmpError(3, 3, about({ source: web2, destination: master }, tcp(9522, 80))),
        `to_network: icmp ${master} > ${web2} about tcp ${web2}:9522 > ${master}:${HOSTS}`,
      ),
      enters(
        { source: master, destination: friend },
        tcp(80, 9523, "SA"),
        `pass_to_stack: tcp ${master}:80 > ${friend}:9523`,
      ),
    ],
  },
];
