// Malformed and foreign packets: each ends in an outcome, none in a crash.
import { externalAddress, nodes, outside } from "../cluster.ts";
import { ethernet, frame, icmpError, ip, raw, tcp, udp, vxlan } from "../frames.ts";
import { about, arrives, arrivesWrapped, handed, leaves, type PacketTest, type Step, sends } from "./step.ts";

const { master, node } = nodes;
const { client1, client2 } = outside;
const [web, open] = ["10.244.0.2", "10.245.0.3"];
const otherMac = "02:00:00:00:0a:0a";
const translated = { services: true } as const;
const hooks = [
  { program: "from_uplink", at: "uplink" },
  { program: "to_uplink", at: "uplink" },
  { program: "from_workload", at: "web" },
  { program: "to_workload", at: "web" },
  { program: "from_tunnel", at: "tunnel", tunnel: { node, vni: 4096 } },
] as const;

/** The same frame at every hook. `what` by program; `else` for the others. */
function everywhere(
  bytes: Uint8Array,
  what: Partial<Record<Step["program"], Step["becomes"]>> & { else: Step["becomes"] },
): Step[] {
  return hooks.map((hook) => ({ ...hook, frame: bytes, becomes: what[hook.program] ?? what.else }));
}

const base = ip({ source: client1, destination: web }, tcp(8000, 80, "S"));
const left = /^pass_to_stack: frame of type/;

/** The bytes with one changed. */
function changed(bytes: Uint8Array, at: number, value: number): Buffer {
  const copy = Buffer.from(bytes);
  copy[at] = value;
  return copy;
}

export const oddities: readonly PacketTest[] = [
  {
    say: "ARP is left to the kernel at every hook but the tunnel",
    steps: everywhere(ethernet(Buffer.alloc(46, 1), 0x0806), { from_tunnel: "drop_unsupported", else: left }),
  },
  {
    say: "an IPv6 header of another version is dropped, but for what the node itself sends",
    steps: [ethernet(Buffer.alloc(60, 0x50), 0x86dd), ethernet(Buffer.alloc(60, 0x45), 0x86dd)].flatMap((bytes) =>
      everywhere(bytes, { to_uplink: left, else: /^drop_(malformed|unsupported)/ }),
    ),
  },
  {
    say: "a frame for another host, which a switch sent to all, is left to the kernel: that host forwards it, too",
    steps: [
      {
        ...{ program: "from_uplink", at: "uplink" },
        frame: frame({ source: client1, destination: externalAddress }, tcp(8002, 80, "S"), { destination: otherMac }),
        becomes: `pass_to_stack: tcp ${client1}:8002 > ${externalAddress}:80`,
      },
    ],
  },
  {
    say: "other types of frames are left to the kernel, and dropped from workloads",
    steps: [0x88cc, 0x8100, 0x8847, 0x0001].flatMap((type) =>
      everywhere(ethernet(Buffer.alloc(46), type), {
        from_workload: "drop_unsupported",
        from_tunnel: "drop_unsupported",
        else: left,
      }),
    ),
  },
  {
    say: "an IP header of another version, or shorter than it may be",
    steps: [0x55, 0x65, 0x44, 0x40, 0x05].flatMap((first) =>
      everywhere(ethernet(changed(base, 0, first)), {
        to_uplink: /^pass_to_stack/,
        else: /^drop_(malformed|unsupported)/,
      }),
    ),
  },
  {
    say: "IP options before the transport header are skipped",
    handling: translated,
    steps: [
      arrives(
        { source: client2, destination: open, options: Buffer.from("01010101", "hex") },
        tcp(8001, 80, "S"),
        `to_endpoint to open: tcp ${client2}:8001 > ${open}:80`,
      ),
      arrives(
        { source: client2, destination: open, options: Buffer.alloc(40, 1) },
        tcp(8001, 80, "A"),
        `to_endpoint to open: tcp ${client2}:8001 > ${open}:80`,
      ),
    ],
  },
  {
    say: "fragments: the first carries the ports for the others, one that comes alone is dropped",
    handling: translated,
    steps: [
      arrives({ source: client2, destination: open, fragment: 0x0010 }, raw(17, Buffer.alloc(64)), "drop_fragment"),
      arrives(
        { source: client2, destination: open, fragment: 0x2000 },
        udp(8002, 80, Buffer.alloc(120)),
        /^to_endpoint to open/,
      ),
      arrives(
        { source: client2, destination: open, fragment: 0x0010 },
        raw(17, Buffer.alloc(64)),
        `to_endpoint to open: udp ${client2} > ${open}`,
      ),
      sends("open", { destination: client2, fragment: 0x0010 }, raw(17, Buffer.alloc(64)), "drop_fragment"),
      handed(
        "open",
        { source: client1, destination: open, fragment: 0x0010 },
        raw(17, Buffer.alloc(64)),
        "drop_fragment",
      ),
      leaves({ source: master, destination: client1, fragment: 0x0010 }, raw(17, Buffer.alloc(64)), /^pass_to_stack/),
    ],
  },
  {
    say: "a tiny first fragment without TCP flags is dropped",
    handling: translated,
    steps: [
      arrives(
        { source: client2, destination: open, fragment: 0x2000 },
        raw(6, Buffer.from("1f41005000000001", "hex")),
        "drop_malformed",
      ),
      arrives({ source: client2, destination: open, fragment: 0x0001 }, raw(6, Buffer.alloc(32)), "drop_fragment"),
    ],
  },
  {
    say: "protocols whose ports are unknown are dropped for workloads",
    steps: [4, 41, 47, 50, 136, 255].flatMap((protocol) => [
      sends("web", { destination: open }, raw(protocol, Buffer.alloc(40, 7)), "drop_unsupported"),
      arrives({ source: client1, destination: web }, raw(protocol, Buffer.alloc(40, 7)), "drop_unsupported"),
      arrives({ source: client1, destination: master }, raw(protocol, Buffer.alloc(40, 7)), /^pass_to_stack/),
      handed("web", { source: client1, destination: web }, raw(protocol, Buffer.alloc(40, 7)), "drop_unsupported"),
    ]),
  },
  {
    say: "a tunnel in a tunnel is unwrapped once",
    handling: translated,
    steps: [
      arrivesWrapped(
        { kind: "overlay" },
        { source: "10.244.1.2", destination: open },
        vxlan(50001, 4096, 0, frame({ source: "10.244.1.2", destination: web }, tcp(8003, 80, "S"))),
        `to_endpoint to open: udp 10.244.1.2:50001 > ${open}:4789`,
      ),
    ],
  },
  {
    family: "IPv4",
    say: "VXLAN that is truncated, lacks its flag, or wraps something other than IPv4 is left to the kernel",
    steps: [0, 7, 8, 21].map((length) =>
      arrives(
        { source: node, destination: master },
        udp(50000, 4789, Buffer.alloc(length, 8), false),
        /^pass_to_stack/,
      ),
    ),
  },
  {
    say: "a packet whose time to live ends here is left to the stack to answer",
    handling: translated,
    steps: [
      sends("web", { destination: client1, ttl: 1 }, udp(8004, 80), /^pass_to_stack/),
      sends("web", { destination: client1, ttl: 0 }, udp(8005, 80), /^pass_to_stack/),
      sends("web", { destination: client1, ttl: 2 }, udp(8006, 80), /^to_network/),
    ],
  },
  {
    say: "errors whose inner packet is truncated, at any length, are dropped or left to the kernel, never delivered",
    steps: [0, 1, 19, 20, 27].flatMap((length) => [
      arrives(
        { source: client1, destination: web },
        icmpError(3, 3, about({ source: web, destination: client1 }, udp(80, 8007), length)),
        /^drop_/,
      ),
      sends(
        "web",
        { destination: client1 },
        icmpError(3, 3, about({ source: client1, destination: web }, udp(8007, 80), length)),
        /^drop_/,
      ),
      handed(
        "web",
        { source: client1, destination: web },
        icmpError(3, 3, about({ source: web, destination: client1 }, udp(80, 8007), length)),
        /^drop_/,
      ),
    ]),
  },
];
