// A TCP connection of a pod that sends and gets back data all the time.
import type { BareCluster } from "../cluster/bare-cluster.ts";
import type { Placed } from "../cluster/placed.ts";
import { inPod } from "./holding.ts";

/** A piece of 8 kB so often, ms: as fast as it goes would leave an emulated processor nothing for agents. */
const PACE_MS = 40;
/** Bytes on the way at most. */
const AHEAD = 65_536;

// Compares what comes back with what it sent, and says how far it is.
const sender = `
  const [host, port, text] = process.argv.slice(1);
  const piece = Buffer.from(text.repeat(Math.ceil(8192 / text.length))), twice = Buffer.concat([piece, piece]);
  const seen = { echoed: 0, wrong: 0, ended: "" };
  let sent = 0;
  const socket = require("node:net").connect({ host, port: +port });
  const send = () => { if (sent - seen.echoed < ${AHEAD}) { socket.write(piece); sent += piece.length; } };
  socket.on("connect", () => setInterval(send, ${PACE_MS}));
  socket.on("data", (bytes) => {
    while (bytes.length > 0) {
      const at = seen.echoed % piece.length, part = bytes.subarray(0, piece.length);
      if (!part.equals(twice.subarray(at, at + part.length))) seen.wrong += part.length;
      seen.echoed += part.length;
      bytes = bytes.subarray(part.length);
    }
  });
  socket.on("error", (error) => { seen.ended = error.code; });
  socket.on("close", () => { seen.ended ||= "closed"; });
  setInterval(() => console.log(JSON.stringify(seen)), 100);`;

export interface Streamed {
  /** Bytes that came back, and those of them that are not what was sent. */
  readonly echoed: number;
  readonly wrong: number;
  /** How the connection ended; empty: it goes on. */
  readonly ended: string;
}

/** @param to an echo server; @param text what is sent over and over
 * @returns what is seen of it so far */
export function stream(cluster: BareCluster, from: Placed, to: string, text: string): () => Streamed {
  const [host = "", port = ""] = to.split(":");
  const child = cluster.spawn(from.node, inPod(from, [process.execPath, "-e", sender, host, port, text]));
  let [rest, last]: [string, Streamed] = ["", { echoed: 0, wrong: 0, ended: "" }];
  child.stdout?.on("data", (said: Buffer) => {
    const lines = (rest + said).split("\n");
    rest = lines.pop() ?? "";
    const line = lines.at(-1);
    if (line) last = JSON.parse(line);
  });
  return () => last;
}
