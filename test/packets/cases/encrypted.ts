// Nodes that encrypt: what leaves only by the device, what is refused because it arrives as it is, and what the device's own programs let through.
import { backendAddress, nodes, outside, secondAddress } from "../cluster.ts";
import { ethernet, frame, ip, ipip, raw, type Transport, tcp, udp, vxlan } from "../frames.ts";
import { neighbours } from "../node.ts";
import { arrives, arrivesWrapped, type Ends, leaves, type PacketTest, type Step, sends } from "./step.ts";

const { master, node } = nodes;
const { client1 } = outside;
const [web, web2, open, friend] = ["web", "web2", "open", "friend"].map(backendAddress) as [
  string,
  string,
  string,
  string,
];
const translated = { services: true, encapsulation: "VXLAN" } as const;
const MARK_FORWARDED = 0xebf00001;
const MARK_DECRYPTED = 0xebf00004;
const DF = 0x4000;
const LATER = 0x20;
const WIREGUARD = 51820;
/** Of 1500 bytes 50 are VXLAN's and 60 WireGuard's. */
const FITS = 1390;
const payload = (length: number) => Buffer.alloc(length, 0x5a);
const betweenNodes = { source: master, destination: node } as const;
const toUs = { source: node, destination: master } as const;

const encrypting = (step: Step, encryption: Step["encryption"] = "WireGuard"): Step => ({ ...step, encryption });

const inside = { source: web2, destination: web };
const overlay = (ends: Ends) => vxlan(50000, 4096, 0, frame(ends, tcp(5600, 80, "S")));

/** What our programs, or a device, sent, as the uplink's egress sees it. */
function sent(ends: Ends, transport: Transport, becomes: Step["becomes"]): Step {
  return { program: "to_uplink", at: "uplink", mark: MARK_FORWARDED, frame: frame(ends, transport), becomes };
}

/** In a frame of another node. */
function comes(ends: Ends, transport: Transport, becomes: Step["becomes"]): Step {
  const source = neighbours[node];
  const bytes = ethernet(ip(ends, transport), 0x0800, source ? { source } : {});
  return { program: "from_uplink", at: "uplink", frame: bytes, becomes };
}

/** Decrypted: without an Ethernet header. */
function decrypted(ends: Ends, transport: Transport, becomes: Step["becomes"]): Step {
  return { program: "from_wireguard", at: "wireguard", frame: ip(ends, transport), becomes };
}

/** Unwrapped by the kernel's device; `mark`: as it left the device that decrypts. */
function unwrapped(mark: number, becomes: Step["becomes"]): Step {
  return {
    ...{ program: "from_tunnel", at: "tunnel", mark, becomes },
    tunnel: { node, vni: 4096 },
    frame: frame(inside, tcp(5616, 80, "S")),
  };
}

const PLAINLY = "uncounted, but action 0";
const REFUSED = "drop_not_encrypted";
const toDevice = /^uncounted.*: udp 172\.31\.1\.8.* > 172\.31\.1\.207/;

export const encrypted: readonly PacketTest[] = [
  {
    say: "pods' packets to another node's pods are wrapped, whatever their pool says, and leave by the device",
    family: "IPv4",
    handling: translated,
    steps: [
      encrypting(
        sends(
          "open",
          { destination: friend },
          tcp(5600, 80, "S"),
          `to_overlay to ${node}: wrapped for node (overlay): tcp ${open}:5600 > ${friend}:80`,
        ),
      ),
      sent({ ...betweenNodes, fragment: LATER }, raw(17, payload(64)), toDevice),
      sent(betweenNodes, overlay({ source: open, destination: friend }), toDevice),
      sent({ ...betweenNodes, fragment: 0x2000 }, overlay({ source: open, destination: friend }), toDevice),
    ],
  },
  {
    say: "clients' packets, and what WireGuard sends, leave as they are; what no device would take leaves not at all",
    family: "IPv4",
    handling: translated,
    steps: [
      encrypting(sent({ source: master, destination: client1 }, udp(53, 5601), PLAINLY)),
      sent(betweenNodes, udp(WIREGUARD, WIREGUARD), PLAINLY),
      sent(betweenNodes, ipip(ip({ source: web, destination: web2 }, tcp(5602, 80, "S"))), REFUSED),
      encrypting(sent(betweenNodes, overlay({ source: open, destination: friend }), REFUSED), "without a device"),
    ],
  },
  {
    say: "what another node has wrapped and not encrypted is refused, and what could become a part of it",
    family: "IPv4",
    handling: translated,
    steps: [
      encrypting(arrivesWrapped({ kind: "overlay" }, inside, tcp(5603, 80, "S"), REFUSED)),
      arrivesWrapped(
        { kind: "forward direct", for: "web" },
        { source: client1, destination: master },
        tcp(5604, 30080, "S"),
        REFUSED,
      ),
      arrivesWrapped({ kind: "overlay", node: client1 }, inside, tcp(5605, 80, "S"), "drop_unknown_tunnel_peer"),
      comes(toUs, ipip(ip(inside, tcp(5606, 80, "S"))), REFUSED),
      comes({ ...toUs, fragment: LATER }, raw(17, payload(64)), REFUSED),
      comes(toUs, udp(5607, 8472), /^pass_to_stack/),
      unwrapped(0, REFUSED),
      unwrapped(MARK_FORWARDED, REFUSED),
      unwrapped(MARK_DECRYPTED, /^to_endpoint to web/),
    ],
  },
  {
    say: "a node's encrypted packets reach the device, whatever policies and Services say of the port",
    family: "IPv4",
    handling: translated,
    steps: [
      {
        ...encrypting(comes(toUs, udp(WIREGUARD, WIREGUARD), /^pass_to_stack/)),
        hosts: { uplinkUntracked: { ingress: ["!everything"], egress: ["!everything"] } },
      },
      sent(betweenNodes, udp(WIREGUARD, WIREGUARD), PLAINLY),
      leaves(betweenNodes, udp(5608, 5609), "drop_policy_egress"),
      arrives({ source: client1, destination: master }, udp(5610, WIREGUARD), "drop_policy_ingress"),
    ],
  },
  {
    say: "of what is decrypted only the tunnel's packets between these two nodes reach this one, and only the tunnel's are encrypted",
    family: "IPv4",
    handling: translated,
    steps: [
      encrypting(decrypted(toUs, overlay(inside), /^pass_to_stack/)),
      decrypted({ ...toUs, fragment: LATER }, raw(17, payload(64)), /^pass_to_stack/),
      decrypted(toUs, tcp(5611, 10250, "S"), "drop_unknown_tunnel_peer"),
      decrypted(toUs, udp(5612, 53), "drop_unknown_tunnel_peer"),
      decrypted({ source: client1, destination: master }, overlay(inside), "drop_unknown_tunnel_peer"),
      decrypted({ source: node, destination: secondAddress }, overlay(inside), "drop_unknown_tunnel_peer"),
      decrypted(inside, tcp(5613, 80, "S"), "drop_unknown_tunnel_peer"),
      {
        program: "to_wireguard",
        at: "wireguard",
        frame: frame(betweenNodes, overlay(inside)),
        becomes: "drop_tunnel_from_workload",
      },
      {
        program: "to_wireguard",
        at: "wireguard",
        mark: MARK_FORWARDED,
        frame: frame(betweenNodes, overlay(inside)),
        becomes: PLAINLY,
      },
    ],
  },
  {
    say: "a packet that fits the link only without encryption: its sender is told how much does",
    family: "IPv4",
    handling: translated,
    steps: [
      encrypting(
        sends("open", { destination: friend, fragment: DF }, udp(5614, 80, payload(FITS - 28)), /^to_overlay to /),
      ),
      sends(
        "open",
        { destination: friend, fragment: DF },
        udp(5614, 80, payload(FITS - 27)),
        new RegExp(`^answer_too_big.*: at most ${FITS}, `),
      ),
      arrives(
        { source: client1, destination: master, fragment: DF },
        udp(5615, 30085, payload(FITS - 27)),
        /^(answer_too_big.*: at most 1390, |to_endpoint)/,
      ),
    ],
  },
];
