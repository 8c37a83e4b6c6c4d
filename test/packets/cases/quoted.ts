// Errors of routers between nodes about packets that this node wrapped: told to the sender of the packet inside, and to nobody else.
import { backendAddress, gateway, nodes, outside } from "../cluster.ts";
import { frame, icmpError, ip, type Transport, tcp, udp, vxlan } from "../frames.ts";
import { neighbours } from "../node.ts";
import { OWN_ERROR } from "../words.ts";
import {
  about,
  arrives,
  arrivesWrapped,
  type Ends,
  numbersOf,
  of,
  type PacketTest,
  type Step,
  sends,
  type Wrapping,
} from "./step.ts";

const { master, node } = nodes;
const { client1 } = outside;
const [web, web2, web3, db] = ["web", "web2", "web3", "db"].map(backendAddress) as [string, string, string, string];
const services = true;
const tunnel = { services, returnMode: "Tunnel" } as const;
const source = neighbours[gateway];
const payload = Buffer.alloc(1400, 0x5a);
const asked = { source: client1, destination: master } as const;

interface Quote {
  /** Of the way behind the router. */
  readonly mtu: number;
  /** Bytes that the router quotes. */
  readonly quoted?: number;
  /** Type and code in place of "fragmentation needed". */
  readonly says?: readonly [number, number];
  readonly from?: string;
}

/** A router's error about what this node wrapped. Between nodes there is IPv4, whatever is inside. */
export function quotes(
  wrapping: Wrapping,
  ends: Ends,
  transport: Transport,
  { mtu, quoted = 548, says: [type, code] = [3, 4], from = master }: Quote,
  becomes: Step["becomes"],
): Step {
  return {
    ...{ program: "from_uplink", at: "uplink", becomes },
    frame: (under, family) => {
      const { vni, group } = numbersOf(wrapping, under, family);
      const outer = { source: from, destination: wrapping.node ?? node, fragment: 0x4000 };
      const whole = ip(outer, vxlan(50000, vni, group, frame(of(ends, family), transport)));
      return frame(
        { source: gateway, destination: master },
        icmpError(type, code, whole.subarray(0, quoted), mtu),
        source ? { source } : {},
      );
    },
  };
}

const toWeb2 = { source: web, destination: web2 } as const;
/** What the node of the tests sent to another one, whatever was inside. */
const betweenNodes = ip(
  { source: master, destination: node, fragment: 0x4000 },
  vxlan(50000, 4096, 0, frame(toWeb2, udp(5337, 80, payload))),
).subarray(0, 548);
const told = (text: string) => `answer_too_big along its connection: ${text}`;
const overlay = { kind: "overlay" } as const;

export const quoted: readonly PacketTest[] = [
  {
    say: "a client's packet: the client is told, from the address that it used",
    handling: tunnel,
    steps: [
      arrives(asked, udp(5330, 30093), /^forward_service/),
      quotes(
        { kind: "forward via", for: "web2" },
        asked,
        udp(5330, 30093, payload),
        { mtu: 1400 },
        told(`at most 1350, ${master} > ${client1} about udp ${client1}:5330 > ${master}:30093`),
      ),
      {
        ...arrives(
          { source: master, destination: client1 },
          icmpError(3, 4, about(asked, udp(5330, 30093)), 1350),
          `to_network to ${client1}: icmp ${master} > ${client1} about udp ${client1}:5330 > ${master}:30093`,
        ),
        mark: OWN_ERROR,
      },
      quotes({ kind: "forward via" }, asked, udp(5331, 30093, payload), { mtu: 1400 }, "drop_unrelated"),
    ],
  },
  {
    say: "a pod's packet for another pod",
    handling: { services },
    steps: [
      sends("web", { destination: web2 }, tcp(5332, 80, "S"), /^to_overlay/),
      quotes(
        overlay,
        toWeb2,
        tcp(5332, 80, "A", payload),
        { mtu: 1400 },
        told(`at most 1350, ${web2} > ${web} about tcp ${web}:5332 > ${web2}:80`),
      ),
    ],
  },
  {
    say: "a pod's answer on its way back to the entry node",
    handling: tunnel,
    steps: [
      arrivesWrapped(
        { kind: "forward via", for: "web" },
        { source: client1, destination: node },
        tcp(5333, 30080, "S"),
        /^to_/,
      ),
      quotes(
        { kind: "return" },
        { source: node, destination: client1 },
        tcp(30080, 5333, "A", payload),
        { mtu: 1400 },
        told(`at most 1350, ${client1} > ${node} about tcp ${node}:30080 > ${client1}:5333`),
      ),
      quotes(
        { kind: "return", node: nodes.far },
        { source: node, destination: client1 },
        tcp(30080, 5333, "A", payload),
        { mtu: 1400 },
        "drop_unrelated",
      ),
    ],
  },
  {
    say: "IPv6 needs no more than the least that its links take",
    family: "IPv6",
    handling: { services },
    steps: [
      sends("web", { destination: web2 }, udp(5334, 80), /^to_overlay/),
      quotes(
        overlay,
        toWeb2,
        udp(5334, 80, payload),
        { mtu: 1300 },
        /^answer_too_big along its connection: at most 1280,/,
      ),
    ],
  },
  {
    say: "what the router cannot have meant, or has not said, or says of a packet that went another way, is believed by nobody",
    handling: { services },
    steps: [
      sends("web", { destination: web2 }, udp(5335, 80), /^to_overlay/),
      sends("web", { destination: db }, tcp(5336, 80, "S"), /^to_endpoint/),
      quotes(overlay, toWeb2, udp(5335, 80, payload), { mtu: 1500 }, "drop_unrelated"),
      quotes(overlay, toWeb2, udp(5335, 80, payload), { mtu: 0 }, "drop_unrelated"),
      quotes(overlay, toWeb2, udp(5335, 80, payload), { mtu: 40 }, "drop_unrelated"),
      quotes(overlay, toWeb2, udp(5335, 80, payload), { mtu: 1400, quoted: 28 }, "drop_unrelated"),
      quotes(overlay, toWeb2, udp(5335, 80, payload), { mtu: 1400, quoted: 72 }, "drop_unrelated"),
      quotes(overlay, { source: web, destination: web3 }, udp(5335, 80, payload), { mtu: 1400 }, "drop_unrelated"),
      quotes(overlay, { source: web, destination: db }, tcp(5336, 80, "A", payload), { mtu: 1400 }, "drop_unrelated"),
      quotes(overlay, { source: client1, destination: web2 }, udp(5335, 80, payload), { mtu: 1400 }, "drop_unrelated"),
      quotes({ kind: "forward via" }, toWeb2, udp(5335, 80, payload), { mtu: 1400 }, "drop_unrelated"),
      quotes({ kind: "return" }, toWeb2, udp(5335, 80, payload), { mtu: 1400 }, "drop_unrelated"),
      // About a flow that ended, or never was: the second pass finds no connection.
      {
        ...arrives(
          { source: web2, destination: web },
          icmpError(3, 4, about(toWeb2, udp(5999, 80)), 1350),
          "drop_unrelated",
        ),
        mark: OWN_ERROR,
      },
      quotes(overlay, toWeb2, udp(5335, 80, payload), { mtu: 0, says: [11, 0] }, /^pass_to_stack/),
    ],
  },
  {
    say: "the node's stack learns nothing about the way to another node from anybody's errors",
    family: "IPv4",
    handling: { services },
    steps: [
      quotes(overlay, toWeb2, udp(5337, 80, payload), { mtu: 1400, from: nodes.far }, "drop_unrelated"),
      quotes(overlay, toWeb2, udp(5337, 80, payload), { mtu: 1400, quoted: 700 }, "drop_unrelated"),
      sends("web", { destination: master }, icmpError(3, 4, betweenNodes, 576), "drop_unrelated"),
      sends("web", { destination: master }, icmpError(3, 1, betweenNodes), /^pass_to_stack/),
    ],
  },
];
