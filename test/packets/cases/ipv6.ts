// What only IPv6 has: extension headers, discovery on the link, link-local addresses.
import { addressBytes } from "../../../model/address/address.ts";
import { nodes, outside } from "../cluster.ts";
import { type Extension, echo, extensions, icmpError, icmpv6, raw, tcp, udp } from "../frames.ts";
import { inFamily } from "../twins.ts";
import { about, arrives, arrivesWrapped, enters, handed, leaves, type PacketTest, type Step, sends } from "./step.ts";

const { master, node } = nodes;
const { client1, client2 } = outside;
const [web, db, open, web2] = ["10.244.0.2", "10.244.0.3", "10.245.0.3", "10.244.1.2"];
const translated = { services: true } as const;
const family = "IPv6";
const left = /^pass_to_stack/;

const { hopByHop, destination: options, routing, authentication, none } = extensions;
const chain = (...numbers: number[]): Extension[] => numbers.map((protocol) => ({ protocol }));
/** A fragment header of a whole packet, or of part of one. */
const fragmentHeader = (offset: number, more: boolean): Extension => {
  const rest = Buffer.alloc(7);
  rest.writeUInt16BE(offset | (more ? 1 : 0), 1);
  rest.writeUInt32BE(7, 3);
  return { protocol: extensions.fragment, rest };
};
/** Router alert, with which multicast listener discovery comes. */
const alert: Extension = { protocol: hopByHop, rest: Uint8Array.of(0, 5, 2, 0, 0, 1, 0) };

/** A neighbour solicitation or advertisement about this address. */
const neighbour = (type: 135 | 136, target: string) =>
  icmpv6(type, Uint8Array.from(addressBytes(inFamily(target, "IPv6"))));
const ND = 255;
const ROUTER_SOLICITATION = icmpv6(133);
const ROUTER_ADVERTISEMENT = icmpv6(134, Buffer.alloc(8));
const REDIRECT = icmpv6(137, Buffer.alloc(32));
const LISTENER_REPORT = icmpv6(143, Buffer.alloc(20));
const LISTENER_QUERY = icmpv6(130, Buffer.alloc(16));

const onTheWire = (source: string, destination: string, transport: ReturnType<typeof icmpv6>, ttl = ND): Step =>
  arrives({ source, destination, ttl, by: client1 }, transport, left);

export const ipv6: readonly PacketTest[] = [
  {
    ...{
      family,
      say: "extension headers before the transport are read: options of both kinds, and a fragment header of a whole packet",
    },
    handling: translated,
    steps: [
      chain(hopByHop),
      chain(options),
      chain(hopByHop, options),
      [fragmentHeader(0, false)],
      [...chain(hopByHop, options), fragmentHeader(0, false), ...chain(options)],
    ].flatMap((chained, index) => [
      arrives(
        { source: client1, destination: master, extensions: chained },
        tcp(8100 + index, 30082, "S"),
        `to_endpoint to db: tcp ${client1}:${8100 + index} > ${db}:80`,
      ),
      sends(
        "db",
        { destination: client1, extensions: chained },
        tcp(80, 8100 + index, "SA"),
        `to_network to ${client1}: tcp ${master}:30082 > ${client1}:${8100 + index}`,
      ),
    ]),
  },
  {
    ...{ family, say: "behind other extension headers, or behind five, no ports are known" },
    steps: [
      chain(routing),
      [{ protocol: authentication, rest: Uint8Array.of(4, ...Array(22).fill(0)) }],
      chain(none),
      chain(50),
      chain(options, options, options, options, options),
      chain(hopByHop, options, routing),
    ].flatMap((chained) => [
      arrives({ source: client2, destination: open, extensions: chained }, udp(8110, 80), "drop_unsupported"),
      sends("open", { destination: client2, extensions: chained }, udp(8110, 80), "drop_unsupported"),
      handed("open", { source: client2, destination: open, extensions: chained }, udp(8110, 80), "drop_unsupported"),
      arrives({ source: client2, destination: master, extensions: chained }, udp(8110, 80), left),
      leaves({ source: master, destination: client2, extensions: chained }, udp(8110, 80), left),
      arrivesWrapped(
        { kind: "overlay" },
        { source: web2, destination: open, extensions: chained },
        udp(8110, 80),
        "drop_unsupported",
      ),
    ]),
  },
  {
    ...{ family, say: "extension headers that end outside the packet, and fragments of fragments" },
    steps: [
      [{ protocol: options, rest: Uint8Array.of(200, 1, 4, 0, 0, 0, 0) }],
      [fragmentHeader(0, true), fragmentHeader(0, false)],
      [fragmentHeader(0, false), fragmentHeader(8, false)],
    ].flatMap((chained) => [
      arrives({ source: client2, destination: open, extensions: chained }, udp(8120, 80), "drop_malformed"),
      sends("open", { destination: client2, extensions: chained }, udp(8120, 80), "drop_malformed"),
    ]),
  },
  {
    ...{ family, say: "fragments by their own header, with options before and behind it; nobody else's follow them" },
    handling: translated,
    steps: [
      arrives(
        { source: client2, destination: open, extensions: [fragmentHeader(0, true), ...chain(options)] },
        udp(8130, 80, Buffer.alloc(120)),
        /^to_endpoint to open/,
      ),
      arrives(
        { source: client2, destination: open, extensions: [...chain(hopByHop), fragmentHeader(64, false)] },
        raw(60, Buffer.alloc(64)),
        /^to_endpoint to open/,
      ),
      arrives(
        { source: client1, destination: open, extensions: [fragmentHeader(64, false)] },
        raw(17, Buffer.alloc(64)),
        "drop_fragment",
      ),
      arrives(
        { source: client2, destination: open, extensions: [fragmentHeader(0, true), ...chain(options)] },
        raw(6, Buffer.alloc(12)),
        "drop_malformed",
      ),
    ],
  },
  {
    ...{ family, say: "ICMP of the other family is a protocol without ports" },
    steps: [
      arrives(
        { source: client2, destination: open },
        raw(1, Buffer.from("0800000000010001", "hex")),
        "drop_unsupported",
      ),
      sends("open", { destination: client2 }, raw(1, Buffer.from("0800000000010001", "hex")), "drop_unsupported"),
    ],
  },
  {
    family: "IPv4",
    say: "ICMP of the other family is a protocol without ports, in IPv4",
    steps: [
      arrives(
        { source: client2, destination: open },
        raw(58, Buffer.from("8000000000010001", "hex")),
        "drop_unsupported",
      ),
      sends("open", { destination: client2 }, raw(58, Buffer.from("8000000000010001", "hex")), "drop_unsupported"),
    ],
  },
  {
    ...{
      family,
      say: "discovery on the uplink's link is the node's: also about its own address, from nobody, and from routers",
    },
    steps: [
      onTheWire("::", "ff02::1:ff1f:108", neighbour(135, master)),
      onTheWire(client1, "ff02::1:ff1f:108", neighbour(135, master)),
      onTheWire(client1, master, neighbour(135, master)),
      onTheWire(master, "ff02::1", neighbour(136, master)),
      onTheWire(client1, master, neighbour(136, client1)),
      onTheWire("fe80::1", "ff02::1", ROUTER_ADVERTISEMENT),
      onTheWire("fe80::1", master, ROUTER_ADVERTISEMENT),
      onTheWire("fe80::1", master, REDIRECT),
      onTheWire("fe80::9", "ff02::2", ROUTER_SOLICITATION),
      arrives({ source: "fe80::1", destination: "ff02::1", ttl: 1, extensions: [alert] }, LISTENER_QUERY, left),
      leaves({ source: "::", destination: "ff02::1:ff1f:108", ttl: ND }, neighbour(135, master), left),
      leaves({ source: master, destination: "ff02::1:ff1f:137", ttl: ND }, neighbour(135, client1), left),
      leaves({ source: "::", destination: "ff02::16", ttl: 1, extensions: [alert] }, LISTENER_REPORT, left),
      handed("web", { source: "fe80::1", destination: web, ttl: ND }, neighbour(135, web), left),
    ],
  },
  {
    ...{ family, say: "no pod is on the uplink's link: discovery there with a pod's address is forged" },
    steps: [web, web2, open].flatMap((source) =>
      [
        onTheWire(source, master, neighbour(135, master)),
        onTheWire(source, "ff02::1:ff1f:108", neighbour(135, master)),
        onTheWire(source, db, neighbour(136, source)),
        onTheWire(source, master, ROUTER_SOLICITATION),
        onTheWire(source, client2, REDIRECT),
        arrives({ source, destination: "ff02::16", ttl: 1, extensions: [alert] }, LISTENER_REPORT, left),
      ].map((step) => ({ ...step, becomes: "drop_spoofed_source" })),
    ),
  },
  {
    ...{ family, say: "discovery for one host comes from no address that is nobody's or the node's own" },
    steps: ["::", "ff02::1", master].flatMap((source) =>
      [
        onTheWire(source, master, neighbour(135, master)),
        onTheWire(source, web, neighbour(136, client1)),
        onTheWire(source, client2, ROUTER_SOLICITATION),
        arrives({ source, destination: db, ttl: 1, extensions: [alert] }, LISTENER_REPORT, left),
      ].map((step) => ({ ...step, becomes: "drop_martian_source" })),
    ),
  },
  {
    ...{ family, say: "discovery from another link, in fragments, or wrapped is none" },
    steps: [
      arrives({ source: client1, destination: master, ttl: 254 }, neighbour(135, master), "drop_malformed"),
      arrives({ source: "fe80::1", destination: "ff02::1", ttl: 64 }, ROUTER_ADVERTISEMENT, "drop_malformed"),
      arrives(
        { source: client1, destination: master, ttl: ND, extensions: [fragmentHeader(0, false)] },
        neighbour(135, master),
        "drop_malformed",
      ),
      arrivesWrapped(
        { kind: "overlay" },
        { source: web2, destination: web, ttl: ND },
        neighbour(135, web),
        "drop_unsupported",
      ),
      arrivesWrapped(
        { kind: "overlay" },
        { source: "fe80::1", destination: "ff02::1", ttl: ND },
        ROUTER_ADVERTISEMENT,
        "drop_unsupported",
      ),
    ],
  },
  {
    ...{ family, say: "a pod speaks of itself on its link" },
    steps: [
      sends("web", { as: "::", destination: "ff02::1:fff4:2", ttl: ND }, neighbour(135, web), left),
      sends("web", { destination: "ff02::1:ff00:1", ttl: ND }, neighbour(135, "fe80::1"), left),
      sends("web", { as: "fe80::2", destination: "fe80::1", ttl: ND }, neighbour(136, web), left),
      sends("web", { destination: "fe80::1", ttl: ND }, neighbour(136, "fe80::2"), left),
      sends("web", { as: "fe80::2", destination: "ff02::2", ttl: ND }, ROUTER_SOLICITATION, left),
      sends("web", { as: "::", destination: "ff02::16", ttl: 1, extensions: [alert] }, LISTENER_REPORT, left),
    ],
  },
  {
    ...{ family, say: "a pod that claims another's address, or to be a router" },
    steps: [
      sends("web", { destination: "ff02::1", ttl: ND }, neighbour(136, db), "drop_spoofed_source"),
      sends("web", { as: "fe80::2", destination: "ff02::1", ttl: ND }, neighbour(136, master), "drop_spoofed_source"),
      sends("web", { as: db, destination: "ff02::1", ttl: ND }, neighbour(135, db), "drop_spoofed_source"),
      sends("web", { as: master, destination: "ff02::1", ttl: ND }, neighbour(135, db), "drop_spoofed_source"),
      sends("web", { as: "fe80::2", destination: "ff02::1", ttl: ND }, ROUTER_ADVERTISEMENT, "drop_spoofed_source"),
      sends("web", { destination: "ff02::1", ttl: ND }, ROUTER_ADVERTISEMENT, "drop_spoofed_source"),
      sends("web", { as: "fe80::1", destination: "fe80::9", ttl: ND }, REDIRECT, "drop_spoofed_source"),
      sends(
        "web",
        { as: "fe80::2", destination: "ff02::1", ttl: ND, extensions: [fragmentHeader(0, true)] },
        ROUTER_ADVERTISEMENT,
        "drop_malformed",
      ),
      sends(
        "web",
        { as: "fe80::2", destination: "ff02::1", ttl: ND, extensions: [fragmentHeader(8, false)] },
        ROUTER_ADVERTISEMENT,
        "drop_unsupported",
      ),
      sends("web", { as: "::", destination: "ff02::1", ttl: ND }, ROUTER_ADVERTISEMENT, "drop_malformed"),
    ],
  },
  {
    ...{ family, say: "a pod's discovery beyond its link, which the node would route past the pod's policies" },
    steps: [client2, master, db, web2].flatMap((destination) => [
      sends("web", { destination, ttl: ND }, neighbour(135, destination), "drop_unsupported"),
      sends("web", { destination, ttl: ND }, neighbour(136, web), "drop_unsupported"),
      sends("web", { destination, ttl: ND }, ROUTER_SOLICITATION, "drop_unsupported"),
      sends("web", { destination, ttl: ND }, REDIRECT, "drop_unsupported"),
      sends("web", { as: "fe80::2", destination, ttl: ND }, neighbour(135, destination), "drop_unsupported"),
      sends("web", { destination, ttl: 1, extensions: [alert] }, LISTENER_REPORT, "drop_unsupported"),
    ]),
  },
  {
    ...{ family, say: "link-local addresses stay on the node's link, and are nobody's elsewhere" },
    steps: [
      arrives({ source: "fe80::9", destination: "fe80::8" }, udp(546, 547), left),
      arrives({ source: "fe80::9", destination: "ff02::1:2" }, udp(546, 547), left),
      arrives({ source: "fe80::9", destination: master }, echo(5), left),
      arrives({ source: client1, destination: "fe80::8" }, udp(5, 546), left),
      arrives({ source: "fe80::9", destination: web }, udp(546, 80), "drop_martian_source"),
      arrives({ source: "fe80::9", destination: open }, tcp(546, 80, "S"), "drop_martian_source"),
      leaves({ source: "fe80::8", destination: "ff02::1:2" }, udp(546, 547), left),
      sends("web", { destination: "fe80::1" }, udp(8140, 80), "drop_unsupported"),
      sends("web", { as: "fe80::2", destination: open }, udp(8140, 80), "drop_unsupported"),
      handed("web", { source: "fe80::1", destination: web }, udp(80, 8140), "drop_unsupported"),
      arrivesWrapped({ kind: "overlay" }, { source: "fe80::1", destination: web }, udp(80, 80), "drop_unsupported"),
      enters({ source: "fe80::8", destination: "ff02::2", ttl: ND }, ROUTER_SOLICITATION, left),
    ],
  },
  {
    ...{
      family,
      say: "an address that contains IPv4 reaches nobody: neither the pod whose IPv4 address it is, nor a node port",
    },
    steps: [`::ffff:${web}`, `::${web}`, `::ffff:${master}`, "::6", "::1:6", "::", "::1"].flatMap((destination) => [
      arrives({ source: client1, destination }, tcp(8150, 30082, "S"), "drop_malformed"),
      sends("open", { destination }, tcp(8150, 80, "S"), "drop_malformed"),
      arrivesWrapped({ kind: "overlay" }, { source: web2, destination }, tcp(8150, 80, "S"), "drop_malformed"),
      arrivesWrapped(
        { kind: "forward via" },
        { source: client1, destination },
        tcp(8150, 30082, "S"),
        "drop_malformed",
      ),
      handed("web", { source: client1, destination }, tcp(8150, 80, "S"), "drop_unsupported"),
      arrives(
        { source: client1, destination: web },
        icmpError(3, 1, about({ source: web, destination }, tcp(80, 8150))),
        /^drop_/,
      ),
    ]),
  },
  {
    ...{ family, say: "an error of up to 1,280 bytes is translated, with its packet's extension headers" },
    handling: translated,
    steps: [
      arrives({ source: client1, destination: master }, tcp(8160, 30082, "S"), /^to_endpoint to db/),
      sends("db", { destination: client1 }, tcp(80, 8160, "SA"), /^to_network/),
      arrives(
        { source: "172.31.1.1", destination: master },
        icmpError(
          3,
          4,
          about(
            { source: master, destination: client1, extensions: chain(options) },
            tcp(30082, 8160, "A", Buffer.alloc(1300)),
            1200,
          ),
          1280,
        ),
        /^to_endpoint to db: icmp \S+ > \S+ about tcp \S+:80 > \S+:8160$/,
      ),
      arrives(
        { source: "172.31.1.1", destination: master },
        icmpError(
          3,
          4,
          about({ source: master, destination: client1 }, tcp(30082, 8160, "A", Buffer.alloc(1400)), 1300),
          1280,
        ),
        left,
      ),
    ],
  },
  {
    ...{ family, say: "no hop left: the stack answers" },
    handling: translated,
    steps: [
      sends("web", { destination: client1, ttl: 1 }, udp(8170, 80), left),
      sends("web", { destination: client1, ttl: 2 }, udp(8170, 80), /^to_network/),
      sends("web", { destination: node, ttl: 2 }, udp(8171, 80), /^to_(network|overlay)/),
    ],
  },
];
