// qperf, the tool of the published figures: a server in the receiving pod for every stream, a client for each in the
// sending one. Its figure is the received bandwidth.
import { spawn } from "node:child_process";
import { text } from "node:stream/consumers";
import { LabFailure } from "../../lab/failure.ts";
import type { RunningProgram, TestbedMachine } from "../testbed/testbed-machine.ts";

/** An end of a stream: a pod's network namespace on a machine, or the machine itself. */
export interface End {
  readonly machine: TestbedMachine;
  readonly address: string;
  /** Named network namespace; absent: the machine's own. */
  readonly namespace?: string;
}

const controlPort = (stream: number): number => 19_765 + stream;
const dataPort = (stream: number): number => 21_000 + stream;

export const startServers = (end: End, streams: number): RunningProgram[] =>
  Array.from({ length: streams }, (_, stream) =>
    end.machine.start("qperf", ["qperf", "--listen_port", String(controlPort(stream))], end.namespace),
  );

/** Sends on all streams at once. @returns bits that arrived, all streams together */
export async function sendStreams(
  from: End,
  to: End,
  { streams, messageBytes, seconds }: { streams: number; messageBytes: number; seconds: number },
): Promise<number> {
  const rates = await Promise.all(
    Array.from({ length: streams }, (_, stream) => {
      const ports = ["--listen_port", controlPort(stream), "--ip_port", dataPort(stream)];
      const load = ["--time", seconds, "--msg_size", messageBytes, "--unify_units", "--precision", 8];
      return run(from, ["qperf", to.address, ...ports, ...load, "tcp_bw"].map(String));
    }),
  );
  return rates.reduce((sum, rate) => sum + rate, 0) * seconds;
}

async function run(from: End, command: string[]): Promise<number> {
  const [file = "", ...args] = from.machine.argv(command, from.namespace);
  const child = spawn(file, args, { stdio: ["ignore", "pipe", "pipe"], timeout: 30_000, killSignal: "SIGKILL" });
  const [said, complaint] = await Promise.all([text(child.stdout), text(child.stderr)]);
  return parseBitsPerSecond(said, complaint);
}

/** Reads "    bw  =  1,234,567,890 bytes/sec". @throws LabFailure with qperf's output */
export function parseBitsPerSecond(said: string, complaint = ""): number {
  const bytes = /^\s*bw\s*=\s*([\d.,]+) bytes\/sec$/m.exec(said)?.[1];
  if (bytes) return Number(bytes.replaceAll(",", "")) * 8;
  throw new LabFailure(`qperf gave no bandwidth: ${(complaint || said).trim() || "it said nothing"}`);
}
