// Nobody waits in silence: what is refused is answered, with the address that the sender used.
import { nodes, outside } from "../cluster.ts";
import { icmpError, tcp, udp } from "../frames.ts";
import { about, arrivesWrapped, leaves, type PacketTest } from "./step.ts";

const { master, node } = nodes;
const { client1 } = outside;
const translated = { services: true } as const;

export const refusals: readonly PacketTest[] = [
  {
    say: "an error of the node's stack about a backend on its network comes from the address the client used",
    handling: translated,
    steps: [
      arrivesWrapped(
        { kind: "forward direct", for: "master" },
        { source: client1, destination: node },
        tcp(5001, 30086, "S"),
        `pass_to_stack: tcp ${client1}:5001 > ${master}:80`,
      ),
      leaves(
        { source: master, destination: client1 },
        icmpError(3, 3, about({ source: client1, destination: master }, tcp(5001, 80))),
        `return_direct: icmp ${node} > ${client1} about tcp ${client1}:5001 > ${node}:30086`,
      ),
      arrivesWrapped(
        { kind: "forward via", for: "master" },
        { source: client1, destination: node },
        tcp(5002, 30086, "S"),
        `pass_to_stack: tcp ${client1}:5002 > ${master}:80`,
      ),
      leaves(
        { source: master, destination: client1 },
        icmpError(3, 3, about({ source: client1, destination: master }, tcp(5002, 80))),
        `return_via_entry to ${node}: wrapped for node (return): icmp ${node} > ${client1} about tcp ${client1}:5002 > ${node}:30086`,
      ),
    ],
  },
  {
    say: "an error of the node's stack about its own packets leaves as it is",
    steps: [
      leaves(
        { source: master, destination: client1 },
        icmpError(3, 3, about({ source: client1, destination: master }, udp(5003, 5353))),
        `pass_to_stack: icmp ${master} > ${client1} about udp ${client1}:5003 > ${master}:5353`,
      ),
    ],
  },
];
