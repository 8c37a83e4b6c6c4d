// How connections are established and end, and which senders can cause that; checked by the connection's state afterwards.
import { outside } from "../cluster.ts";
import { tcp } from "../frames.ts";
import { arrives, type PacketTest, sends } from "./step.ts";

const { client2 } = outside;
const open = "10.245.0.3";
const translated = { services: true } as const;
const ANY = /(?:)/;
const NONE = new Uint8Array();
/** An attacker that knows only addresses and ports does not know a connection's sequence numbers. */
const FORGED = { sequence: 3_000_000_000 };
/** A connection from client2 that both ends want. */
const openTo = (port: number) => [
  arrives({ source: client2, destination: open }, tcp(port, 80, "S"), /^to_endpoint to open/),
  sends("open", { destination: client2 }, tcp(80, port, "SA"), /^to_network/),
  arrives(
    { source: client2, destination: open },
    tcp(port, 80, "A", NONE, { sequence: 1001, acknowledges: 1001 }),
    ANY,
  ),
];

export const closings: readonly PacketTest[] = [
  ...(["R", "RA", "F", "FA", "S"] as const).flatMap((marks): PacketTest[] => [
    {
      say: `a forged ${marks} ends nothing: it has none of the connection's sequence numbers`,
      handling: translated,
      steps: [
        ...openTo(7601),
        arrives({ source: client2, destination: open }, tcp(7601, 80, marks, NONE, FORGED), ANY),
      ],
      known: { port: 7601, as: ["established", "established"] },
    },
    {
      say: `a forged ${marks} before the backend has answered ends nothing`,
      handling: translated,
      steps: [
        arrives({ source: client2, destination: open }, tcp(7602, 80, "S"), /^to_endpoint to open/),
        sends("open", { destination: client2 }, tcp(80, 7602, marks === "S" ? "SA" : marks, NONE, FORGED), ANY),
      ],
      known: { port: 7602, as: ["half open", "half open"] },
    },
  ]),
  {
    say: "the ends themselves close it: a reset, a refusal, a FIN from either side",
    handling: translated,
    steps: [
      ...openTo(7603),
      arrives({ source: client2, destination: open }, tcp(7603, 80, "R", NONE, { sequence: 1001 }), ANY),
    ],
    known: { port: 7603, as: ["established, reset", "established, reset"] },
  },
  {
    say: "a refusal that answers the SYN counts",
    handling: translated,
    steps: [
      arrives({ source: client2, destination: open }, tcp(7604, 80, "S"), /^to_endpoint to open/),
      sends("open", { destination: client2 }, tcp(80, 7604, "RA", NONE, { sequence: 0, acknowledges: 1001 }), ANY),
    ],
    known: { port: 7604, as: ["half open, reset", "half open, reset"] },
  },
  {
    say: "a sender that has not seen the backend's answer cannot complete the handshake",
    handling: translated,
    steps: [
      arrives({ source: client2, destination: open }, tcp(7605, 80, "S"), /^to_endpoint to open/),
      sends("open", { destination: client2 }, tcp(80, 7605, "SA", NONE, { sequence: 500_000_000 }), /^to_network/),
      arrives({ source: client2, destination: open }, tcp(7605, 80, "A", NONE, { acknowledges: 5 }), ANY),
    ],
    known: { port: 7605, as: ["half open", "half open"] },
  },
];
