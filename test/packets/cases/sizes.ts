// Packets that do not fit the way on: who is told, by whom, and how much fits. The uplink takes 1500 bytes.
import { backendAddress, nodes, outside } from "../cluster.ts";
import { frame, icmpError, type Transport, tcp, udp } from "../frames.ts";
import { OWN_ERROR } from "../words.ts";
import { about, arrives, arrivesWrapped, type Ends, of, type PacketTest, type Step, sends } from "./step.ts";

const { master, node } = nodes;
const { client1 } = outside;
const [web, web2, open, friend] = ["web", "web2", "open", "friend"].map(backendAddress) as [
  string,
  string,
  string,
  string,
];
const services = true;
const tunnel = { services, returnMode: "Tunnel" } as const;

const DF = 0x4000;
const MTU = 1500;
/** TUNNEL_RETURN, as a VNI. */
const RETURN = 3 << 22;
const FITS = 1450;
const payload = (length: number) => Buffer.alloc(length, 0x5a);
const back = (text: string) => `answer_too_big along its connection: ${text}`;

/** An error that the program made, as it comes back into the uplink. */
export function made(ends: Ends, error: Parameters<typeof icmpError>, becomes: Step["becomes"]): Step {
  return { ...arrives(ends, icmpError(...error), becomes), mark: OWN_ERROR };
}

const answered = { source: master, destination: client1 } as const;
const asked = { source: client1, destination: master } as const;

/** An answer that the kernel's device has unwrapped: a frame of the uplink is not larger than its MTU. */
function comesBack(ends: Ends, transport: Transport, becomes: Step["becomes"]): Step {
  return {
    ...{ program: "from_tunnel", at: "tunnel", becomes },
    tunnel: { node, vni: RETURN },
    frame: (_, family) => frame(of(ends, family), transport),
  };
}

export const sizes: readonly PacketTest[] = [
  {
    say: "an answer that comes back through this node and does not fit the client's link: the error goes back to the backend's node",
    handling: tunnel,
    steps: [
      arrives(asked, udp(5320, 30093), /^forward_service/),
      comesBack({ ...answered, fragment: DF }, udp(30093, 5320, payload(1200)), /^return_forwarded/),
      comesBack(
        { ...answered, fragment: DF },
        udp(30093, 5320, payload(1480)),
        back(`at most ${MTU}, ${client1} > ${master} about udp ${master}:30093 > ${client1}:5320`),
      ),
      made(
        asked,
        [3, 4, about(answered, udp(30093, 5320)), MTU],
        `forward_service to ${node}: wrapped for node (forward, reply wrapped): icmp ${client1} > ${master} about udp ${master}:30093 > ${client1}:5320`,
      ),
    ],
  },
  {
    say: "also one that may be cut: this node's stack would take it for a forged one",
    family: "IPv4",
    handling: tunnel,
    steps: [
      arrives(asked, udp(5321, 30093), /^forward_service/),
      comesBack(
        answered,
        udp(30093, 5321, payload(1480)),
        back(`at most ${MTU}, ${client1} > ${master} about udp ${master}:30093 > ${client1}:5321`),
      ),
    ],
  },
  {
    say: "from there it goes to the pod that answered, whose own addresses it names",
    handling: tunnel,
    steps: [
      arrivesWrapped(
        { kind: "forward via", for: "web" },
        { source: client1, destination: node },
        tcp(5322, 30080, "S"),
        `to_endpoint to web: tcp ${client1}:5322 > ${web}:80`,
      ),
      arrivesWrapped(
        { kind: "forward via" },
        { source: client1, destination: node },
        icmpError(3, 4, about({ source: node, destination: client1 }, tcp(30080, 5322)), 1400),
        `to_endpoint to web: icmp ${client1} > ${web} about tcp ${web}:80 > ${client1}:5322`,
      ),
    ],
  },
  {
    say: "of large segments each must fit, not all together",
    handling: tunnel,
    steps: [
      arrives(asked, tcp(5323, 30089, "S"), /^forward_service/),
      {
        ...arrives({ ...asked, fragment: DF }, tcp(5323, 30089, "A", payload(2800)), /^forward_service/),
        gso: { size: 1400, segments: 2 },
      },
      {
        ...arrives(
          { ...asked, fragment: DF },
          tcp(5323, 30089, "A", payload(2922)),
          `answer_too_big to ${client1}: at most ${FITS}, ${master} > ${client1} about tcp ${client1}:5323 > ${master}:30089`,
        ),
        gso: { size: 1461, segments: 2 },
      },
    ],
  },
  {
    say: "a pod's answer that does not fit its own node's link is told to the pod, not to the address that it answers in the name of",
    handling: { services, returnMode: "DSR" },
    steps: [
      arrives({ source: client1, destination: master }, tcp(5324, 30080, "S"), /^(to_endpoint|forward_service)/),
      arrivesWrapped(
        { kind: "forward direct", for: "web" },
        { source: client1, destination: node },
        tcp(5325, 30080, "S"),
        /^to_endpoint/,
      ),
      sends(
        "web",
        { destination: client1, fragment: DF },
        tcp(80, 5325, "A", payload(1461)),
        back(`at most ${MTU}, ${client1} > ${node} about tcp ${node}:30080 > ${client1}:5325`),
      ),
      {
        ...sends(
          "web",
          { destination: client1, fragment: DF },
          tcp(80, 5325, "A", payload(2922)),
          back(`at most ${MTU}, ${client1} > ${node} about tcp ${node}:30080 > ${client1}:5325`),
        ),
        gso: { size: 1461, segments: 2 },
      },
      {
        ...sends("web", { destination: client1, fragment: DF }, tcp(80, 5325, "A", payload(2800)), /^return_direct to/),
        gso: { size: 1400, segments: 2 },
      },
      made(
        { source: client1, destination: node },
        [3, 4, about({ source: node, destination: client1 }, tcp(30080, 5325)), MTU],
        `to_endpoint to web: icmp ${client1} > ${web} about tcp ${web}:80 > ${client1}:5325`,
      ),
    ],
  },
  {
    say: "the node's stack tells a pod that uses its own address",
    handling: { services },
    steps: [
      sends("open", { destination: friend, fragment: DF }, udp(5326, 80, payload(1480)), /^pass_to_stack/),
      sends(
        "open",
        { destination: friend },
        udp(5326, 80, payload(1200)),
        `to_network to ${node}: udp ${open}:5326 > ${friend}:80`,
      ),
    ],
  },
  {
    say: "a pod's packet for a pod of another node that does not fit once wrapped: the pod is told",
    handling: { services, encapsulation: "VXLAN" },
    steps: [
      sends("web", { destination: web2 }, udp(5327, 80), /^to_overlay/),
      sends(
        "web",
        { destination: web2, fragment: DF },
        udp(5327, 80, payload(1430)),
        back(`at most ${FITS}, ${web2} > ${web} about udp ${web}:5327 > ${web2}:80`),
      ),
      made(
        { source: web2, destination: web },
        [3, 4, about({ source: web, destination: web2 }, udp(5327, 80)), FITS],
        `to_endpoint to web: icmp ${web2} > ${web} about udp ${web}:5327 > ${web2}:80`,
      ),
    ],
  },
  {
    say: "no such error comes from the network",
    handling: { services },
    steps: [
      sends("web", { destination: web2 }, udp(5328, 80), /^to_overlay/),
      arrives(
        { source: web2, destination: web },
        icmpError(3, 4, about({ source: web, destination: web2 }, udp(5328, 80)), 576),
        "drop_spoofed_source",
      ),
      arrives(
        { source: client1, destination: web },
        icmpError(3, 4, about({ source: web, destination: web2 }, udp(5328, 80)), 576),
        "drop_unrelated",
      ),
      made(
        { source: web2, destination: web },
        [3, 4, about({ source: web, destination: web2 }, udp(5999, 80)), FITS],
        "drop_unrelated",
      ),
      made(asked, [3, 4, about(answered, udp(30093, 5999)), MTU], "drop_unrelated"),
    ],
  },
];
