// Packets of one SCTP association: a client's through node port 30080 of this node to the pod `open`, whose port is 3868, and the answers.
import { nodes, outside } from "../cluster.ts";
import { type Chunk, type SctpOptions, sctp } from "../sctp.ts";
import { arrives, type Step, sends } from "./step.ts";

const { master } = nodes;
const { client1 } = outside;
const open = "10.245.0.3";
const ANY = /(?:)/;
const data = Buffer.alloc(333, 0x5a);
/** The tags that the two ends ask for, and one that neither knows. */
export const [CLIENT, SERVER, FORGED] = [0x11111111, 0x22222222, 0x33333333] as const;

export const asks = (port: number, chunk: Chunk, options: SctpOptions, becomes: Step["becomes"] = ANY) =>
  arrives({ source: client1, destination: master }, sctp(port, 30080, chunk, options), becomes);
export const answers = (port: number, chunk: Chunk, options: SctpOptions, becomes: Step["becomes"] = ANY) =>
  sends("open", { destination: client1 }, sctp(3868, port, chunk, options), becomes);
export const established = (port: number) => [
  asks(port, "init", { asks: CLIENT }, `to_endpoint to open: sctp ${client1}:${port} > ${open}:3868`),
  answers(
    port,
    "initAck",
    { tag: CLIENT, asks: SERVER },
    `to_network to ${client1}: sctp ${master}:30080 > ${client1}:${port}`,
  ),
  asks(
    port,
    "cookieEcho",
    { tag: SERVER, payload: data },
    `to_endpoint to open: sctp ${client1}:${port} > ${open}:3868`,
  ),
  answers(port, "cookieAck", { tag: CLIENT }, `to_network to ${client1}: sctp ${master}:30080 > ${client1}:${port}`),
];
