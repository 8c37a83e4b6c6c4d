// What becomes of SCTP's checksum, and packets that have none that could be kept right.
import { nodes, outside } from "../cluster.ts";
import { raw, type Transport } from "../frames.ts";
import { sctp } from "../sctp.ts";
import { answers, asks, CLIENT, established, SERVER } from "./association.ts";
import { arrives, bytesOf, type PacketTest, type Step, sends } from "./step.ts";

const { master } = nodes;
const { client1 } = outside;
const [web, open] = ["10.244.0.2", "10.245.0.3"];
const translated = { services: true } as const;
/** The cluster address of a service whose pod has the same port. */
const signals = "10.96.0.25";
const data = Buffer.alloc(333, 0x5a);
const MORE = 0x2000;

export const associationChecksums: readonly PacketTest[] = [
  {
    say: "a packet whose checksum the card would compute keeps none",
    handling: translated,
    steps: [
      {
        ...asks(
          6200,
          "init",
          { asks: CLIENT, checksum: "absent" },
          `to_endpoint to open: sctp ${client1}:6200 > ${open}:3868, without a checksum`,
        ),
      },
      answers(
        6200,
        "initAck",
        { tag: CLIENT, asks: SERVER, checksum: "absent" },
        `to_network to ${client1}: sctp ${master}:30080 > ${client1}:6200, without a checksum`,
      ),
    ],
  },
  {
    say: "the frame's padding and IP options are not part of it",
    handling: translated,
    steps: [
      padded(asks(6201, "init", { asks: CLIENT }, `to_endpoint to open: sctp ${client1}:6201 > ${open}:3868`)),
      arrives(
        { source: client1, destination: master, options: Buffer.alloc(8, 1) },
        sctp(6201, 30080, "cookieEcho", { tag: SERVER, payload: data }),
        `to_endpoint to open: sctp ${client1}:6201 > ${open}:3868`,
      ),
      arrives(
        { source: client1, destination: master },
        sctp(6201, 30080, "data", { tag: SERVER, payload: Buffer.alloc(2001, 7) }),
        `to_endpoint to open: sctp ${client1}:6201 > ${open}:3868`,
      ),
      arrives(
        { source: client1, destination: master },
        sctp(6201, 30080, "cookieAck", { tag: SERVER }),
        `to_endpoint to open: sctp ${client1}:6201 > ${open}:3868`,
      ),
    ],
  },
  {
    say: "fragments: the ports of none can be rewritten, since the checksum covers all; with the same port at the pod they pass",
    handling: translated,
    steps: [
      ...established(6202),
      arrives(
        { source: client1, destination: master, fragment: MORE },
        sctp(6202, 30080, "data", { tag: SERVER, payload: data }),
        "drop_sctp_fragment",
      ),
      arrives({ source: client1, destination: master, fragment: 100 }, fragmentOf(data), "drop_sctp_fragment"),
      sends(
        "open",
        { destination: client1, fragment: MORE },
        sctp(3868, 6202, "data", { tag: CLIENT, payload: data }),
        "drop_sctp_fragment",
      ),
      sends(
        "web",
        { destination: signals },
        sctp(6202, 80, "init", { asks: CLIENT }),
        `to_endpoint to open: sctp ${web}:6202 > ${open}:80`,
      ),
      sends(
        "web",
        { destination: signals, fragment: MORE },
        sctp(6202, 80, "data", { tag: SERVER, payload: data }),
        `to_endpoint to open: sctp ${web}:6202 > ${open}:80`,
      ),
      sends(
        "web",
        { destination: signals, fragment: 100 },
        fragmentOf(data),
        `to_endpoint to open: sctp ${web} > ${open}`,
      ),
    ],
  },
  {
    say: "one that would open an association leaves nothing behind",
    handling: translated,
    steps: [
      arrives(
        { source: client1, destination: master, fragment: MORE },
        sctp(6204, 30080, "init", { asks: CLIENT }),
        "drop_sctp_fragment",
      ),
    ],
    known: { port: 6204, as: [] },
  },
  {
    say: "packets that RFC 9260 calls malformed",
    steps: [
      asks(6203, "init", { tag: 1, asks: CLIENT }, "drop_malformed"),
      asks(6203, "init", { asks: 0 }, "drop_malformed"),
      asks(6203, "initAck", { tag: 0, asks: SERVER }, "drop_malformed"),
      asks(6203, "initAck", { tag: CLIENT, asks: 0 }, "drop_malformed"),
      arrives({ source: client1, destination: master }, raw(132, Buffer.alloc(12)), "drop_malformed"),
      arrives(
        { source: client1, destination: master },
        raw(132, Buffer.from("1770758000000000000000000100000411", "hex")),
        "drop_malformed",
      ),
    ],
    known: { port: 6203, as: [] },
  },
];

function fragmentOf(bytes: Uint8Array): Transport {
  return raw(132, bytes);
}

/** With bytes behind the packet, as short frames have on a wire. */
function padded(step: Step): Step {
  return { ...step, frame: (node, family) => Buffer.concat([bytesOf(step, node, family), Buffer.alloc(9, 0xee)]) };
}
