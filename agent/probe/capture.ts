import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import type { Readable, Writable } from "node:stream";

/** A capture that nobody ends (its starter was killed) ends itself. */
const longestSeconds = 120;

/** One packet that left this node, as tcpdump saw it on the wire side. */
export interface CapturedReply {
  device: string;
  source: string;
  sourcePort: number;
  destination: string;
  destinationPort: number;
}

/**
 * Prints `{"listening":true}` and then one JSON line per packet that leaves this node and matches the filter, until its
 * input ends or a line arrives. The witness is tcpdump, not the dataplane: the dataplane is what is being judged.
 */
export async function runCapture(filter: string, input: Readable, output: Writable): Promise<void> {
  // -Z root: Debian's tcpdump would change to a user that a small image does not have.
  const tcpdump = spawn(
    "tcpdump",
    ["-l", "-n", "-q", "-t", "-Z", "root", "-i", "any", "--immediate-mode", "-Q", "out", filter],
    {
      stdio: ["ignore", "pipe", "pipe"],
    },
  );
  const stop = (): void => void tcpdump.kill("SIGINT");
  const deadline = setTimeout(stop, longestSeconds * 1000);
  input.once("data", stop);
  input.once("end", stop);
  process.once("SIGTERM", stop);
  input.resume();

  let said = "";
  createInterface(tcpdump.stderr).on("line", (line) => {
    said = `${said}${line}\n`.slice(-500);
    if (line.includes("listening on")) output.write(`${JSON.stringify({ listening: true })}\n`);
  });
  createInterface(tcpdump.stdout).on("line", (line) => {
    const reply = parseReply(line);
    if (reply) output.write(`${JSON.stringify(reply)}\n`);
  });
  await new Promise<void>((resolve, reject) => {
    tcpdump.once("error", (error) => reject(new Error(`capture: tcpdump does not start: ${error.message}`)));
    tcpdump.once("close", (code) =>
      code === 0 ? resolve() : reject(new Error(`capture: tcpdump failed: ${said.trim()}`)),
    );
  });
  clearTimeout(deadline);
  input.destroy();
}

const line = /^(\S+)\s+Out\s+IP6? (\S+)\.(\d+) > (\S+)\.(\d+):/;

/** `eth0  Out IP 172.31.1.8.30604 > 172.31.1.55.40001: tcp 0`, the form tcpdump prints for the "any" device. */
export function parseReply(text: string): CapturedReply | undefined {
  const [, device, source, sourcePort, destination, destinationPort] = text.match(line) ?? [];
  if (!device || !source || !destination || device === "lo") return undefined;
  return { device, source, sourcePort: Number(sourcePort), destination, destinationPort: Number(destinationPort) };
}
