import { type ChildProcess, spawn } from "node:child_process";
import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import { createInterface } from "node:readline";
import type { Readable, Writable } from "node:stream";
import { setTimeout as pause } from "node:timers/promises";
import { namespaceOf } from "./namespaces.ts";

/** A capture that is not ended (its starter was killed) ends itself. */
const longestSeconds = 120;
/** A busy computer may leave tcpdump without a processor for as long. */
const longestDrainMs = 10_000;
/** A packet that has passed usually takes less to be printed. */
const unmarkedMs = 250;

/** One packet as tcpdump saw it on a device of this machine. */
export interface CapturedPacket {
  device: string;
  direction: "in" | "out";
  source: string;
  sourcePort: number;
  destination: string;
  destinationPort: number;
  /** Outer addresses, of a packet inside VXLAN. */
  wrapped?: { source: string; destination: string };
  /** Of the two packets that open a TCP connection. Address translation leaves the number alone, so it names the connection. */
  opening?: { number: number; answer: boolean };
  /** tcpdump's line. */
  text: string;
}

/**
 * Prints `{"listening":true}` and then one JSON line per packet that matches the filter, until its input ends or a line
 * arrives. The evidence comes from tcpdump, not from the dataplane under test.
 *
 * @param pod `NAMESPACE/NAME:UID` of this node, to capture in its network namespace instead of the node's own
 */
export async function runCapture(
  filter: string,
  { pod }: { pod?: string },
  input: Readable,
  output: Writable,
): Promise<void> {
  // -Z root: Debian's tcpdump would change to a user that a small image does not have.
  const mark = pod ? undefined : await openMark();
  const wanted = mark ? `(${filter}) or (udp and dst host 127.0.0.1 and dst port ${mark.port})` : filter;
  // In this mode the kernel's buffer of 2 MiB has a place of the snapshot's length for each packet: with the default, 256 KiB, it holds
  // eight, and a busy computer loses the rest. All headers fit in 512 bytes, also those inside VXLAN.
  const options = ["--immediate-mode", "--snapshot-length=512"];
  const command = ["tcpdump", "-l", "-n", "-t", "-Z", "root", "-i", "any", ...options, wanted];
  const [program = "", ...args] = pod ? ["nsenter", `--net=${namespaceOf(pod)}`, "--", ...command] : command;
  const tcpdump = spawn(program, args, { stdio: ["ignore", "pipe", "pipe"] });
  const { promise: asked, resolve: stop } = Promise.withResolvers<void>();
  void asked.then(() => drained(tcpdump, mark)).then(() => tcpdump.kill("SIGINT"));
  const deadline = setTimeout(stop, longestSeconds * 1000);
  input.once("data", () => stop());
  input.once("end", stop);
  process.once("SIGTERM", () => stop());
  input.resume();

  let said = "";
  createInterface(tcpdump.stderr).on("line", (line) => {
    said = `${said}${line}\n`.slice(-500);
    if (line.includes("listening on")) output.write(`${JSON.stringify({ listening: true })}\n`);
  });
  const parse = packetParser();
  createInterface(tcpdump.stdout).on("line", (line) => {
    if (mark && line.includes(` > 127.0.0.1.${mark.port}: UDP`)) mark.seen();
    const packet = parse(line);
    if (packet) output.write(`${JSON.stringify(packet)}\n`);
  });
  await new Promise<void>((resolve, reject) => {
    tcpdump.once("error", (error) => reject(new Error(`capture: tcpdump does not start: ${error.message}`)));
    tcpdump.once("close", (code) =>
      code === 0 ? resolve() : reject(new Error(`capture: tcpdump failed: ${said.trim()}`)),
    );
  });
  clearTimeout(deadline);
  mark?.socket.close();
  input.destroy();
}

/** A datagram of this process to itself, which tcpdump prints after everything that passed before it. */
interface Mark {
  socket: Socket;
  port: number;
  seen: () => void;
  /** Resolves when tcpdump has printed it. */
  printed: Promise<void>;
}

async function openMark(): Promise<Mark> {
  const socket = createSocket("udp4");
  socket.bind(0, "127.0.0.1");
  await once(socket, "listening");
  const { promise, resolve } = Promise.withResolvers<void>();
  return { socket, port: socket.address().port, seen: resolve, printed: promise };
}

/** Resolves when everything that has passed was printed: at its end tcpdump discards what it has not read yet, which on a busy computer can be all. */
async function drained(tcpdump: ChildProcess, mark: Mark | undefined): Promise<void> {
  // The mark would be sent in this process's network, and a pod has another one.
  if (!mark) return pause(unmarkedMs);
  mark.socket.send("", mark.port, "127.0.0.1", () => {});
  const ended = once(tcpdump, "close");
  await Promise.race([mark.printed, ended, pause(longestDrainMs, undefined, { ref: false })]);
}

const packetLine = /^(?:(\S+)\s+(In|Out)\s+)?IP6? (\S+)\.(\d+) > (\S+)\.(\d+): (.*)/;

/**
 * Reads tcpdump's lines for the "any" device: `eth0  Out IP 172.31.1.8.30604 > 172.31.1.55.40001: Flags [S.], …`. The
 * packet inside VXLAN has a separate line after the outer packet's. Loopback is left out.
 *
 * @returns a function that takes the lines in order and returns each packet when it is complete
 */
export function packetParser(): (line: string) => CapturedPacket | undefined {
  let outer: Pick<CapturedPacket, "device" | "direction" | "wrapped"> | undefined;
  return (line) => {
    const [, device, way, source, sourcePort, destination, destinationPort, rest = ""] = line.match(packetLine) ?? [];
    const inside = device === undefined ? outer : undefined;
    const on = inside ?? (device && { device, direction: way === "In" ? ("in" as const) : ("out" as const) });
    outer = undefined;
    if (!on || !source || !destination || on.device === "lo") return undefined;
    if (rest.startsWith("VXLAN")) {
      outer = { ...on, wrapped: { source, destination } };
      return undefined;
    }
    const opening = openingOf(rest);
    return {
      ...on,
      source,
      sourcePort: Number(sourcePort),
      destination,
      destinationPort: Number(destinationPort),
      ...(opening && { opening }),
      text: rest.replace(/ options \[[^\]]*\],/, ""),
    };
  };
}

/** The answer to a SYN acknowledges its number and one more. */
function openingOf(text: string): CapturedPacket["opening"] {
  const [, answer, number, acknowledged] = text.match(/^Flags \[S[EW]*(\.?)[EW]*\], seq (\d+),(?: ack (\d+),)?/) ?? [];
  if (number === undefined) return undefined;
  return answer
    ? { number: (Number(acknowledged) - 1) >>> 0, answer: true }
    : { number: Number(number), answer: false };
}
