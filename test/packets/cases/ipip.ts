// IPv4 in IPv4 between nodes: what is believed of it, whatever the pools say, and how it is written where they ask for it.
import { backendAddress, gateway, nodes, outside, secondAddress } from "../cluster.ts";
import { ethernet, frame, type IpHeader, icmpError, ip, ipip, raw, tcp, udp, vxlan } from "../frames.ts";
import { neighbours } from "../node.ts";
import {
  about,
  arrives,
  arrivesWrapped,
  type Ends,
  enters,
  leaves,
  type PacketTest,
  type Step,
  sends,
} from "./step.ts";

const { master, node, far } = nodes;
const { client1 } = outside;
const [web, web2, web3, db, open] = ["web", "web2", "web3", "db", "open"].map(backendAddress) as [
  string,
  string,
  string,
  string,
  string,
];
const services = true;
const pool = { services, encapsulation: "IPIP" } as const;
const DF = 0x4000;
const toWeb = { source: web2, destination: web } as const;
const toWeb2 = { source: web, destination: web2 } as const;
/** While kube-proxy handles services the stack has it first. */
const believed = /^(to_endpoint to web|pass_to_stack): tcp/;
const payload = (length: number) => Buffer.alloc(length, 0x5a);
const syn = (port: number) => tcp(port, 80, "S");

function macOf(address: string): { source?: string } {
  const source = neighbours[address];
  return source ? { source } : {};
}

interface Outer extends Partial<IpHeader> {
  /** Whose hardware address the frame has. */
  readonly by?: string;
}

/** A packet of protocol 4 in a frame of the uplink. */
function carries({ by, ...outer }: Outer, inside: Uint8Array, becomes: Step["becomes"]): Step {
  const header = { source: node, destination: master, fragment: DF, ...outer };
  const bytes = ethernet(ip(header, ipip(inside)), 0x0800, macOf(by ?? header.source));
  return { program: "from_uplink", at: "uplink", frame: bytes, becomes };
}

const inIpip = (outer: Outer, ends: Ends, port: number, becomes: Step["becomes"]) =>
  carries(outer, ip(ends, syn(port)), becomes);

/** A router's error about what this node wrapped in IPIP. */
function quotes(
  inside: Uint8Array,
  mtu: number,
  quoted: number,
  becomes: Step["becomes"],
  from: string = master,
): Step {
  const whole = ip({ source: from, destination: node, fragment: DF }, ipip(inside));
  const error = icmpError(3, 4, whole.subarray(0, quoted), mtu);
  return arrives({ source: gateway, destination: master, by: gateway }, error, becomes);
}

const large = ip({ ...toWeb2, fragment: DF }, tcp(5402, 80, "A", payload(1400)));
const told = (text: string) => `answer_too_big along its connection: ${text}`;
const wrapped = (text: string) => `to_overlay to ${node}: wrapped for node (overlay, IPIP): ${text}`;

export const ipipPackets: readonly PacketTest[] = [
  {
    say: "a node takes both encapsulations, whatever its pools say: the mode of a pool changes under connections",
    handling: { services },
    steps: [
      arrivesWrapped({ kind: "overlay" }, toWeb, syn(5400), `to_endpoint to web: tcp ${web2}:5400 > ${web}:80`),
      carries({}, ip(toWeb, tcp(5400, 80, "A")), `to_endpoint to web: tcp ${web2}:5400 > ${web}:80`),
      {
        ...{ program: "from_uplink", at: "uplink", becomes: `to_endpoint to web: tcp ${web2}:5400 > ${web}:80` },
        frame: frame(
          { source: node, destination: master },
          vxlan(50000, 4096, 0, frame(toWeb, tcp(5400, 80, "A"))),
          macOf(node),
        ),
      },
    ],
  },
  {
    say: "the outer source must be a node, and the frame that node's; others' tunnels are the stack's",
    steps: [
      inIpip({ source: client1 }, toWeb, 5410, /^pass_to_stack/),
      inIpip({ source: far, by: gateway }, { source: web3, destination: web }, 5411, believed),
      inIpip({ by: client1 }, toWeb, 5412, "drop_unknown_tunnel_peer"),
      inIpip({ destination: secondAddress }, toWeb, 5413, "drop_unknown_tunnel_peer"),
      inIpip({ source: master, by: client1 }, toWeb, 5414, "drop_martian_source"),
      inIpip({ destination: web }, toWeb, 5415, "drop_unsupported"),
    ],
  },
  {
    say: "the inner source must live on the node that wrapped it",
    steps: [
      inIpip({}, { source: web3, destination: web }, 5420, "drop_spoofed_source"),
      inIpip({}, { source: db, destination: web }, 5421, "drop_spoofed_source"),
      inIpip({}, { source: "10.244.9.9", destination: web }, 5422, "drop_spoofed_source"),
      inIpip({}, { source: client1, destination: web }, 5423, "drop_spoofed_source"),
      inIpip({}, { source: master, destination: web }, 5424, "drop_spoofed_source"),
      inIpip({}, { source: far, destination: web }, 5425, "drop_spoofed_source"),
      inIpip({}, { source: "127.0.0.1", destination: web }, 5426, "drop_martian_source"),
      inIpip({}, { source: node, destination: web }, 5427, believed),
    ],
  },
  {
    say: "policies judge the packet inside",
    handling: { services },
    steps: [
      inIpip({}, { source: backendAddress("friend"), destination: db }, 5430, "drop_policy_ingress"),
      inIpip({}, { source: web2, destination: db }, 5431, /^to_endpoint to db/),
    ],
  },
  {
    say: "a tunnel in a tunnel is unwrapped once",
    handling: { services },
    steps: [
      carries({}, ip(toWeb, ipip(ip(toWeb, syn(5440)))), "drop_unsupported"),
      carries(
        {},
        ip({ source: web2, destination: open }, vxlan(50001, 4096, 0, frame(toWeb, syn(5441)))),
        `to_endpoint to open: udp ${web2}:50001 > ${open}:4789`,
      ),
      arrivesWrapped({ kind: "overlay" }, toWeb, ipip(ip(toWeb, syn(5442))), "drop_unsupported"),
    ],
  },
  {
    say: "what ends within a header is dropped",
    steps: [
      ...[0, 1, 19].map((length) => carries({}, payload(length), "drop_malformed")),
      ...[20, 27, 39].map((length) => carries({}, ip(toWeb, syn(5450)).subarray(0, length), "drop_malformed")),
      // Padding of a short frame is no header.
      {
        ...carries({}, Buffer.alloc(0), "drop_malformed"),
        frame: Buffer.concat([
          ethernet(ip({ source: node, destination: master }, ipip(Buffer.alloc(0))), 0x0800, macOf(node)),
          ip(toWeb, syn(5451)),
        ]),
      },
      carries({}, ip({ source: "fd00::1", destination: "fd00::2" }, syn(5452)), "drop_malformed"),
      // Options that look like the header of a pod's packet.
      carries({ options: ip(toWeb, syn(5453)).subarray(0, 20) }, ip(toWeb, syn(5453)), "drop_malformed"),
    ],
  },
  {
    say: "fragments of the outer packet have no device that could join them; nodes send none",
    steps: [
      inIpip({ fragment: 0x2000 }, toWeb, 5460, "drop_fragment"),
      carries({ fragment: 3 }, payload(40), "drop_fragment"),
      carries({ fragment: 0x2003 }, payload(40), "drop_fragment"),
    ],
  },
  {
    say: "congestion between nodes is lost on a sender that does not know of it",
    steps: [inIpip({ tos: 3 }, { ...toWeb }, 5465, "drop_malformed")],
  },
  {
    say: "only the programs send it to nodes: no process does, and no pod",
    family: "IPv4",
    steps: [
      leaves({ source: master, destination: node }, ipip(ip(toWeb2, syn(5470))), "drop_tunnel_from_workload"),
      leaves({ source: secondAddress, destination: node, fragment: 3 }, ipip(payload(40)), "drop_tunnel_from_workload"),
      leaves({ source: master, destination: client1 }, ipip(ip(toWeb2, syn(5471))), /^pass_to_stack/),
      sends("web", { destination: node }, ipip(ip(toWeb2, syn(5472))), "drop_unsupported"),
      leaves({ source: master, destination: node }, raw(41, payload(40)), /^pass_to_stack/),
    ],
  },
  {
    say: "a packet of 1480 bytes fits, of a larger one its sender is told",
    handling: pool,
    steps: [
      sends(
        "web",
        { destination: web2, fragment: DF },
        udp(5401, 80, payload(1452)),
        wrapped(`udp ${web}:5401 > ${web2}:80`),
      ),
      sends(
        "web",
        { destination: web2, fragment: DF },
        udp(5401, 80, payload(1453)),
        told(`at most 1480, ${web2} > ${web} about udp ${web}:5401 > ${web2}:80`),
      ),
      // The kernel's device cuts it.
      sends("web", { destination: web2 }, udp(5401, 80, payload(1453)), /^to_overlay by the kernel's device/),
    ],
  },
  {
    say: "the kernel's device finds a neighbour that is not known yet, in VXLAN",
    handling: pool,
    steps: [sends("web", { destination: nodes.fresh }, syn(5403), /^to_overlay by the kernel's device/)],
  },
  {
    say: "a router's error is told to the sender of the packet inside, if it quotes 48 bytes",
    handling: pool,
    steps: [
      sends("web", { destination: web2 }, syn(5402), /^to_overlay/),
      quotes(large, 1400, 548, told(`at most 1380, ${web2} > ${web} about tcp ${web}:5402 > ${web2}:80`)),
      quotes(large, 1400, 48, told(`at most 1380, ${web2} > ${web} about tcp ${web}:5402 > ${web2}:80`)),
      {
        ...arrives(
          { source: web2, destination: web },
          icmpError(3, 4, about(toWeb2, tcp(5402, 80, "A")), 1380),
          `to_endpoint to web: icmp ${web2} > ${web} about tcp ${web}:5402 > ${web2}:80`,
        ),
        mark: 0xebf00003,
      },
    ],
  },
  {
    say: "an error that no router can have meant, or about what this node did not wrap, is believed by nobody",
    handling: pool,
    steps: [
      quotes(large, 1400, 47, "drop_unrelated"),
      quotes(large, 1460, 548, "drop_unrelated"),
      quotes(large, 20, 548, "drop_unrelated"),
      quotes(large, 0, 548, "drop_unrelated"),
      quotes(large, 1400, 548, "drop_unrelated", secondAddress),
      quotes(ip({ source: client1, destination: web2 }, udp(5404, 80, payload(1400))), 1300, 548, "drop_unrelated"),
      quotes(ip({ source: web, destination: db }, udp(5404, 80, payload(1400))), 1300, 548, "drop_unrelated"),
      quotes(ip(toWeb2, ipip(ip(toWeb2, udp(5404, 80, payload(1400))))), 1300, 548, "drop_unrelated"),
      sends(
        "web",
        { destination: master },
        icmpError(3, 4, ip({ source: master, destination: node }, ipip(large)).subarray(0, 548), 576),
        "drop_unrelated",
      ),
      // The node's own tunnel to a host outside is the stack's.
      arrives(
        { source: gateway, destination: master },
        icmpError(3, 4, ip({ source: master, destination: client1 }, ipip(large)).subarray(0, 548), 1300),
        /^pass_to_stack/,
      ),
    ],
  },
  {
    say: "services between nodes stay in VXLAN, which carries the choice of the entry node",
    handling: pool,
    steps: [
      arrives({ source: client1, destination: master }, tcp(5406, 30089, "S"), /wrapped for node \(forward/),
      enters({ source: master, destination: web2 }, syn(5407), /^pass_to_stack/),
    ],
  },
];
