// How replies return where the service, or the client, has a say in it.
import { gateway, nodes, optedOut, outside } from "../cluster.ts";
import { tcp, udp } from "../frames.ts";
import { arrives, type PacketTest } from "./step.ts";

const { master, node } = nodes;
const { client1 } = outside;
const web2 = "10.244.1.2";
const services = true;

const forwarded = (reply: "direct" | "wrapped", backend: string, packet: string) =>
  `forward_service to ${node}: wrapped for node (forward, reply ${reply}, backend ${backend}): ${packet}`;

export const returns: readonly PacketTest[] = [
  {
    say: "a service's own return mode, in place of the cluster's",
    handling: { services },
    steps: [
      arrives(
        { source: client1, destination: master },
        tcp(5201, 30092, "S"),
        forwarded("direct", web2, `tcp ${client1}:5201 > ${master}:30092`),
      ),
      arrives(
        { source: client1, destination: master },
        tcp(5201, 30092, "A"),
        forwarded("direct", web2, `tcp ${client1}:5201 > ${master}:30092`),
      ),
      arrives(
        { source: client1, destination: master },
        udp(5201, 30093),
        forwarded("wrapped", node, `udp ${client1}:5201 > ${master}:30093`),
      ),
    ],
  },
  {
    say: "a client that opted out of direct replies gets none, whatever the service says",
    handling: { services },
    steps: [
      arrives(
        { source: optedOut, destination: master, by: gateway },
        tcp(5202, 30089, "S"),
        forwarded("wrapped", web2, `tcp ${optedOut}:5202 > ${master}:30089`),
      ),
      arrives(
        { source: optedOut, destination: master, by: gateway },
        tcp(5202, 30092, "S"),
        forwarded("wrapped", web2, `tcp ${optedOut}:5202 > ${master}:30092`),
      ),
    ],
  },
  {
    say: "its neighbour is answered directly",
    handling: { returnMode: "DSR", services },
    steps: [
      arrives(
        { source: "203.0.113.76", destination: master, by: gateway },
        tcp(5203, 30089, "S"),
        forwarded("direct", web2, `tcp 203.0.113.76:5203 > ${master}:30089`),
      ),
    ],
  },
];
