// How SCTP associations end, and who can cause that; checked by the connection's state afterwards.
import { nodes, outside } from "../cluster.ts";
import { type Chunk, type SctpOptions, sctp } from "../sctp.ts";
import { answers, asks, CLIENT, established, FORGED, SERVER } from "./association.ts";
import { arrives, type PacketTest } from "./step.ts";

const translated = { services: true } as const;
const both = (state: string) => [state, state];
/** A client's packet to a service whose backend is on another node. */
const forwarded = (chunk: Chunk, options: SctpOptions) =>
  arrives(
    { source: outside.client1, destination: nodes.master },
    sctp(6115, 30083, chunk, options),
    /^forward_service to 172.31.1.207/,
  );

export const associationEnds: readonly PacketTest[] = [
  ...(
    [
      ["abort", { tag: SERVER }],
      ["abort", { tag: CLIENT, reflected: true }],
    ] as const
  ).map(
    ([chunk, options]): PacketTest => ({
      say: `the client's ${chunk} ends it${"reflected" in options ? ", of a client that has lost it: with the tag of the packet that it answers" : ""}`,
      handling: translated,
      steps: [...established(6100), asks(6100, chunk, options)],
      known: { port: 6100, as: both("established, reset") },
    }),
  ),
  ...(
    [
      ["abort", { tag: CLIENT }],
      ["abort", { tag: SERVER, reflected: true }],
    ] as const
  ).map(
    ([chunk, options]): PacketTest => ({
      say: `the server's ${chunk}${"reflected" in options ? ", of one that has lost it," : ""} ends it`,
      handling: translated,
      steps: [...established(6101), answers(6101, chunk, options)],
      known: { port: 6101, as: both("established, reset") },
    }),
  ),
  {
    say: "a server that refuses the INIT ends it, and the next one is a new one's",
    handling: translated,
    steps: [asks(6102, "init", { asks: CLIENT }), answers(6102, "abort", { tag: CLIENT })],
    known: { port: 6102, as: both("half open, reset") },
  },
  {
    say: "SHUTDOWN from either side closes it",
    handling: translated,
    steps: [
      ...established(6103),
      asks(6103, "shutdown", { tag: SERVER }),
      answers(6103, "shutdownAck", { tag: CLIENT }),
      asks(6103, "shutdownComplete", { tag: SERVER }),
    ],
    known: { port: 6103, as: both("established, fin, closed") },
  },
  ...(["abort", "shutdown", "shutdownAck", "shutdownComplete", "init"] as const).flatMap((chunk): PacketTest[] => [
    {
      say: `a forged ${chunk} with the client's address ends nothing: it has not the tag`,
      handling: translated,
      steps: [
        ...established(6110),
        asks(6110, chunk, chunk === "init" ? { asks: FORGED } : { tag: FORGED }),
        ...(chunk === "abort"
          ? [
              asks(6110, chunk, { tag: FORGED, reflected: true }),
              asks(6110, chunk, {}),
              asks(6110, chunk, { tag: CLIENT }),
              asks(6110, chunk, { tag: SERVER, reflected: true }),
            ]
          : []),
      ],
      known: { port: 6110, as: both("established") },
    },
    {
      say: `nor one with a tag that forged packets before it had`,
      handling: translated,
      steps: [
        ...established(6111),
        asks(6111, "cookieEcho", { tag: FORGED }),
        asks(6111, "init", { asks: FORGED }),
        answers(6111, "initAck", { tag: FORGED, asks: FORGED }),
        asks(6111, chunk, chunk === "init" ? { asks: FORGED } : { tag: FORGED }),
        asks(6111, "abort", { tag: FORGED }),
        asks(6111, "abort", { tag: FORGED, reflected: true }),
      ],
      known: { port: 6111, as: both("established") },
    },
  ]),
  {
    say: "a tag that a forged packet had before the server answered is not believed",
    handling: translated,
    steps: [
      asks(6112, "init", { asks: CLIENT }),
      asks(6112, "data", { tag: FORGED }),
      answers(6112, "initAck", { tag: CLIENT, asks: SERVER }),
      asks(6112, "cookieEcho", { tag: SERVER }),
      answers(6112, "cookieAck", { tag: CLIENT }),
      asks(6112, "abort", { tag: FORGED }),
    ],
    known: { port: 6112, as: both("established") },
  },
  {
    say: "nor forged packets that agree with each other",
    handling: translated,
    steps: [
      asks(6114, "init", { asks: CLIENT }),
      answers(6114, "initAck", { tag: FORGED, asks: FORGED }),
      asks(6114, "abort", { tag: FORGED }),
      asks(6114, "abort", { tag: FORGED }),
      asks(6114, "shutdown", { tag: FORGED }),
      asks(6114, "shutdown", { tag: FORGED }),
    ],
    known: { port: 6114, as: both("half open") },
  },
  {
    say: "at an entry node, too: it knows the tag by the client's first packet after its INIT",
    handling: translated,
    steps: [
      forwarded("init", { asks: CLIENT }),
      forwarded("abort", { tag: FORGED }),
      forwarded("cookieEcho", { tag: SERVER }),
      forwarded("abort", { tag: FORGED }),
      forwarded("abort", { tag: FORGED }),
      forwarded("abort", { tag: FORGED, reflected: true }),
      forwarded("abort", { tag: SERVER, reflected: true }),
      forwarded("shutdown", { tag: FORGED }),
      forwarded("init", { asks: FORGED }),
    ],
    known: { port: 6115, as: ["established"] },
  },
  ...(
    [
      ["abort", { tag: SERVER }, "reset"],
      ["abort", { tag: CLIENT, reflected: true }, "reset"],
      ["shutdown", { tag: SERVER }, "fin"],
    ] as const
  ).map(
    ([chunk, options, end]): PacketTest => ({
      say: `an entry node sees the client's ${chunk} (${JSON.stringify(options)})`,
      handling: translated,
      steps: [forwarded("init", { asks: CLIENT }), forwarded("cookieEcho", { tag: SERVER }), forwarded(chunk, options)],
      known: { port: 6115, as: [`established, ${end}`] },
    }),
  ),
  {
    say: "a sender that has not seen the server's cookie establishes nothing, nor does a cookie accepted for another association",
    handling: translated,
    steps: [
      asks(6113, "init", { asks: CLIENT }),
      answers(6113, "initAck", { tag: CLIENT, asks: SERVER }),
      asks(6113, "cookieEcho", { tag: FORGED }),
      asks(6113, "cookieEcho", { tag: SERVER }),
      asks(6113, "cookieAck", { tag: SERVER }),
      answers(6113, "data", { tag: CLIENT }),
      answers(6113, "cookieAck", { tag: FORGED }),
    ],
    known: { port: 6113, as: both("half open") },
  },
];
