// Load balancers' addresses that the node answers for by ARP and neighbour discovery, and what only looks as if it asked for one.

import { addressBytes } from "../../../model/address/address.ts";
import { announced, nodes, outside } from "../cluster.ts";
import { type Arp, arp, type Extension, extensions, frame, icmpv6 } from "../frames.ts";
import { neighbours } from "../node.ts";
import { inFamily } from "../twins.ts";
import { type Ends, leaves, type PacketTest, type Step, sends } from "./step.ts";

const { client1 } = outside;
const { address, ended, mac } = announced;
const client1Mac = neighbours[client1] as string;
const forger = "02:00:00:00:0f:0f";
const left = /^pass_to_stack: frame of type 0x806/;

const asked: Arp = { operation: "request", senderMac: client1Mac, sender: client1, target: address };
const hears = (frame: Partial<Arp>, becomes: Step["becomes"], change = (bytes: Buffer) => bytes): Step => ({
  program: "from_uplink",
  at: "uplink",
  frame: change(arp({ ...asked, ...frame })),
  becomes,
});
const changed = (at: number, value: number) => (bytes: Buffer) => {
  bytes[at] = value;
  return bytes;
};

const SOLICITED = "ff02::1:ff1f:1f0";
const ALL_NODES_MAC = "33:33:00:00:00:01";
const passed = /^pass_to_stack/;
const ownMac = Uint8Array.from(client1Mac.split(":").map((byte) => Number.parseInt(byte, 16)));
/** A neighbour solicitation or advertisement about an address, with its sender's hardware address and what follows. */
const message = (type: number, target: string, more: Uint8Array = new Uint8Array(0), code = 0) => {
  const bytes = [...addressBytes(inFamily(target, "IPv6")), ...(type === 135 ? [1, 1] : [2, 1]), ...ownMac, ...more];
  const { bytes: sealed, ...rest } = icmpv6(type, Uint8Array.from(bytes));
  return { ...rest, bytes: (from: string, to: string) => (code ? recoded(sealed(from, to), code) : sealed(from, to)) };
};
// The checksum becomes wrong, which no check looks at.
const recoded = (bytes: Uint8Array, code: number) => Uint8Array.from(bytes.with(1, code));
const says = (
  ends: Partial<Ends>,
  transport: ReturnType<typeof message>,
  becomes: Step["becomes"],
  mac = client1Mac,
): Step => ({
  program: "from_uplink",
  at: "uplink",
  frame: () => {
    const { source = client1, destination = SOLICITED } = ends;
    const whole = { ttl: 255, ...ends, source: inFamily(source, "IPv6"), destination: inFamily(destination, "IPv6") };
    return frame(whole, transport, { source: mac });
  },
  becomes,
});
const answered = `answer_neighbour: ${address} is at ${mac}, to ${client1} at ${client1Mac}`;
const answeredToAll = `answer_neighbour: ${address} is at ${mac}, to ff02::1 at ${ALL_NODES_MAC}`;
const family = "IPv6";
const nonce = Uint8Array.of(14, 1, 1, 2, 3, 4, 5, 6);
const padding: Extension = { protocol: extensions.destination };

/** The same by neighbour discovery. */
const discovered: readonly PacketTest[] = [
  {
    ...{
      family,
      say: "who solicits an announced address is answered, at all nodes' address or its own, with options or none",
    },
    steps: [
      says({}, message(135, address), answered),
      says({ destination: address }, message(135, address), answered),
      says({}, message(135, address, Buffer.alloc(200, nonce)), answered),
      says({}, icmpv6(135, Uint8Array.from(addressBytes(inFamily(address, "IPv6")))), answered),
      says({ source: "fe80::9" }, message(135, address), answered.replace(client1, "fe80::9")),
    ],
  },
  {
    ...{
      family,
      say: "a host that is about to take the address is told, as all are, that it is taken (RFC 4862, 5.4)",
    },
    steps: [
      says({ source: "::" }, icmpv6(135, Uint8Array.from(addressBytes(inFamily(address, "IPv6")))), answeredToAll),
      says(
        { source: "::" },
        icmpv6(135, Uint8Array.from([...addressBytes(inFamily(address, "IPv6")), ...nonce])),
        answeredToAll,
      ),
    ],
  },
  {
    ...{ family, say: "solicitations of other addresses are the stack's, also of one whose announcement has ended" },
    steps: [nodes.master, nodes.node, ended, "172.31.1.242"].map((target) => says({}, message(135, target), passed)),
  },
  {
    ...{ family, say: "on other interfaces nobody answers, and a claim is the stack's" },
    steps: [
      { ...says({}, message(135, address), passed), at: "other" },
      { ...says({ destination: "ff02::1" }, message(136, address), passed), at: "other" },
    ],
  },
  {
    ...{ family, say: "another host that says it has the address is not believed, in whatever message" },
    steps: [
      says({ source: address, destination: "ff02::1" }, message(136, address), "drop_address_claim", forger),
      says({ destination: nodes.master }, message(136, address), "drop_address_claim", forger),
      says({ source: "fe80::9", destination: "ff02::1" }, message(136, address), "drop_address_claim", forger),
      says({ source: address, destination: nodes.master }, message(135, nodes.master), "drop_address_claim", forger),
      says({ source: address }, message(135, address), "drop_address_claim", forger),
      says({ source: address, destination: "ff02::2" }, icmpv6(133), "drop_address_claim", forger),
    ],
  },
  {
    ...{ family, say: "an answer is never sent to many, and what is no solicitation has none" },
    steps: [
      says({}, message(135, address), passed, "33:33:00:00:00:09"),
      says({ source: "ff02::9" }, message(135, address), "drop_martian_source"),
      says({}, message(135, address, undefined, 1), passed),
      says({ extensions: [padding] }, message(135, address), passed),
      says({ ttl: 1, extensions: [padding] }, message(135, address), passed),
      says({}, icmpv6(135, Buffer.alloc(15)), passed),
      says({ ttl: 254 }, message(135, address), "drop_malformed"),
    ],
  },
  {
    ...{ family, say: "a pod gets no answer on its link and claims nothing there; what the node itself sends leaves" },
    steps: [
      sends("web", { destination: SOLICITED, ttl: 255 }, message(135, address), passed),
      sends("web", { destination: "ff02::1", ttl: 255 }, message(136, address), "drop_spoofed_source"),
      sends("web", { as: address, destination: "ff02::1", ttl: 255 }, message(136, address), "drop_spoofed_source"),
      leaves({ source: nodes.master, destination: SOLICITED, ttl: 255 }, message(135, address), passed),
    ],
  },
];

export const announcements: readonly PacketTest[] = [
  ...discovered,
  {
    say: "who asks for an announced address is answered with the uplink's hardware address",
    steps: [
      hears({}, `answer_neighbour: ${address} is at ${mac}, to ${client1} at ${client1Mac}`),
      hears({ targetMac: mac }, `answer_neighbour: ${address} is at ${mac}, to ${client1} at ${client1Mac}`),
    ],
  },
  {
    say: "a probe of a host that wants the address is answered: the address is taken (RFC 5227)",
    steps: [hears({ sender: "0.0.0.0" }, `answer_neighbour: ${address} is at ${mac}, to 0.0.0.0 at ${client1Mac}`)],
  },
  {
    say: "questions for other addresses are the stack's, also for one whose announcement has ended",
    steps: [nodes.master, nodes.node, ended, "172.31.1.242"].map((target) => hears({ target }, left)),
  },
  {
    say: "on other interfaces nobody answers",
    steps: [{ ...hears({}, left), at: "other" }],
  },
  {
    say: "another host that says it has the address is not believed, in a request or in a reply",
    steps: (["request", "reply"] as const).flatMap((operation) => [
      hears({ operation, sender: address, senderMac: forger }, "drop_address_claim"),
      hears({ operation, sender: address, senderMac: forger, target: client1 }, "drop_address_claim"),
    ]),
  },
  {
    say: "a reply to the address is no question",
    steps: [hears({ operation: "reply", targetMac: mac }, left)],
  },
  {
    say: "an answer is never sent to many, and other kinds of hardware and addresses are not answered",
    steps: [
      hears({}, left, changed(14 + 8, 0xff)),
      hears({}, left, changed(14 + 1, 6)),
      hears({}, left, changed(14 + 2, 0x86)),
      hears({}, left, changed(14 + 4, 8)),
      hears({}, left, changed(14 + 5, 16)),
      hears({}, left, changed(14 + 7, 3)),
      hears({}, left, (bytes) => bytes.subarray(0, 41)),
    ],
  },
];
