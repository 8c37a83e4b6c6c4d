// The way between nodes: each of them is a hop, and what ends there or does not fit is answered.
import { backendAddress, nodes, outside } from "../cluster.ts";
import { icmpError, tcp, udp } from "../frames.ts";
import { about, arrives, arrivesWrapped, type PacketTest, sends } from "./step.ts";

const { master, node } = nodes;
const { client1 } = outside;
const [web, web2, db, open] = ["web", "web2", "db", "open"].map(backendAddress) as [string, string, string, string];
const services = true;

const DF = 0x4000;
/** The uplink's MTU without the headers that wrapping adds. */
const FITS = 1450;
const payload = (length: number) => Buffer.alloc(length, 0x5a);
const HOPS = " with 4 hops left";

export const hops: readonly PacketTest[] = [
  {
    say: "the entry node answers a packet whose TTL ends there, with its own address",
    handling: { services },
    steps: [
      arrives(
        { source: client1, destination: master, ttl: 1 },
        tcp(5301, 30089, "S"),
        `answer_expired to ${client1}: time exceeded, ${master} > ${client1} about tcp ${client1}:5301 > ${master}:30089`,
      ),
      arrives(
        { source: client1, destination: master, ttl: 1 },
        tcp(5301, 30089, "S", payload(1200)),
        `answer_expired to ${client1}: time exceeded, ${master} > ${client1} about tcp ${client1}:5301 > ${master}:30089`,
      ),
    ],
  },
  {
    say: "each node on the way takes one hop: of a client's packet, and of one between pods",
    handling: { services, returnMode: "DSR" },
    steps: [
      arrives(
        { source: client1, destination: master, ttl: 5 },
        tcp(5302, 30089, "S"),
        `forward_service to ${node}: wrapped for node (forward, reply direct, backend ${web2}): tcp ${client1}:5302 > ${master}:30089${HOPS}`,
      ),
      arrivesWrapped(
        { kind: "forward direct", for: "web" },
        { source: client1, destination: node, ttl: 5 },
        tcp(5302, 30080, "S"),
        `to_endpoint to web: tcp ${client1}:5302 > ${web}:80${HOPS}`,
      ),
      arrives(
        { source: client1, destination: master, ttl: 5 },
        tcp(5303, 30082, "S"),
        `to_endpoint to db: tcp ${client1}:5303 > ${db}:80${HOPS}`,
      ),
      sends(
        "open",
        { destination: web, ttl: 5 },
        tcp(5304, 80, "S"),
        `to_endpoint to web: tcp ${open}:5304 > ${web}:80${HOPS}`,
      ),
      sends(
        "web",
        { destination: web2, ttl: 5 },
        tcp(5305, 80, "S"),
        `to_overlay to ${node}: wrapped for node (overlay): tcp ${web}:5305 > ${web2}:80${HOPS}`,
      ),
    ],
  },
  {
    say: "where this node's stack has the packet as the pod would, it answers",
    handling: { services },
    steps: [
      arrives(
        { source: client1, destination: master, ttl: 1 },
        tcp(5306, 30082, "S"),
        `pass_to_stack: tcp ${client1}:5306 > ${db}:80`,
      ),
      arrivesWrapped(
        { kind: "forward direct", for: "web" },
        { source: client1, destination: node, ttl: 1 },
        tcp(5307, 30080, "S"),
        `pass_to_stack: tcp ${client1}:5307 > ${web}:80`,
      ),
      sends("web", { destination: web2, ttl: 1 }, tcp(5308, 80, "S"), `pass_to_stack: tcp ${web}:5308 > ${web2}:80`),
    ],
  },
  {
    say: "a client's packet that must not be cut and does not fit is answered from the address that the client used",
    handling: { services },
    steps: [
      arrives({ source: client1, destination: master }, tcp(5310, 30089, "S"), /^forward_service/),
      arrives(
        { source: client1, destination: master, fragment: DF },
        tcp(5310, 30089, "A", payload(1440)),
        `answer_too_big to ${client1}: at most ${FITS}, ${master} > ${client1} about tcp ${client1}:5310 > ${master}:30089`,
      ),
      arrives(
        { source: client1, destination: master, fragment: DF },
        udp(5311, 30093, payload(1440)),
        `answer_too_big to ${client1}: at most ${FITS}, ${master} > ${client1} about udp ${client1}:5311 > ${master}:30093`,
      ),
      arrives(
        { source: client1, destination: master, fragment: DF },
        tcp(5310, 30089, "A", payload(FITS - 60)),
        /^forward_service to/,
      ),
    ],
  },
  {
    say: "one that may be cut is left to the kernel's device",
    family: "IPv4",
    handling: { services },
    steps: [
      arrives(
        { source: client1, destination: master },
        udp(5312, 30093, payload(1440)),
        /^forward_service by the kernel/,
      ),
      arrives(
        { source: client1, destination: master, ttl: 1 },
        udp(5312, 30093, payload(1440)),
        `answer_expired to ${client1}: time exceeded, ${master} > ${client1} about udp ${client1}:5312 > ${master}:30093`,
      ),
    ],
  },
  {
    say: "no error is answered, and none is sent about a later fragment",
    family: "IPv4",
    handling: { services },
    steps: [
      arrives({ source: client1, destination: master }, tcp(5313, 30089, "S"), /^forward_service/),
      arrives(
        { source: client1, destination: master, ttl: 1 },
        icmpError(11, 0, about({ source: master, destination: client1 }, tcp(30089, 5313))),
        "drop_no_route",
      ),
      arrives(
        { source: client1, destination: master, fragment: 0x2000 },
        udp(5314, 30093, payload(64)),
        /^forward_service/,
      ),
      arrives(
        { source: client1, destination: master, fragment: 8, ttl: 1 },
        udp(5314, 30093, payload(64)),
        "drop_no_route",
      ),
    ],
  },
];
