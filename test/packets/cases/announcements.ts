// Load balancers' addresses that the node answers for by ARP, and frames of ARP that only look as if they asked for one.
import { announced, nodes, outside } from "../cluster.ts";
import { type Arp, arp } from "../frames.ts";
import { neighbours } from "../node.ts";
import type { PacketTest, Step } from "./step.ts";

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

export const announcements: readonly PacketTest[] = [
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
