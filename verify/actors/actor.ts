import { printable } from "../../model/printable.ts";
import type { AttemptResult, Probe } from "../../probe/batch.ts";
import type { CapturedPacket } from "../../probe/capture.ts";
import type { PodReference } from "../../probe/namespaces.ts";
import type { SocketState } from "../../probe/sockets.ts";
import { longestAttemptMs } from "../../probe/tcp-attempt.ts";

export type { RunningCommand } from "../../kubernetes/exec.ts";

/** Runs probes: a machine of the lab, a machine over SSH, or a node through its prober. */
export interface Actor {
  /**
   * Starts the program that sends a batch's probes. Resolves when it is ready to send immediately, because starting it takes CPU from the
   * servers that are to answer. Rejects with a message when the actor cannot be reached.
   */
  prepare(batch: Probe[]): Promise<Prepared>;
  /** Resolves when the capture sees packets. @param filter in pcap's language */
  capture(filter: string): Promise<Capture>;
  /**
   * Starts a probe server. Resolves when it listens on every port; rejects with a message otherwise.
   * @param name who it says it is
   */
  listen(ports: ListenPorts, name: string): Promise<RunningServer>;
  /** Starts a prober whose sockets stay open from one batch to the next. Rejects with a message when the actor cannot be reached. */
  keep(): Promise<KeptSockets>;
}

/** A prober that keeps sockets; they end with it, and it ends when this program does. */
export interface KeptSockets {
  /** Sends a batch; one at a time. Rejects with a message when the prober is lost, and its sockets with it. */
  send(batch: Probe[]): Promise<AttemptResult[]>;
  close(): Promise<void>;
}

/** A prober that waits for its start command. */
export interface Prepared {
  /** Sends the probes. Resolves with the result of every attempt; rejects with a message when the actor is lost meanwhile. */
  send(): Promise<AttemptResult[]>;
}

/** Sends a batch when nothing else is measured. */
export async function sendNow(actor: Pick<Actor, "prepare">, batch: Probe[]): Promise<AttemptResult[]> {
  return (await actor.prepare(batch)).send();
}

/** A node, which can also capture packets and read sockets of its pods. */
export interface NodeActor extends Actor {
  /** @param pod there: in its network namespace instead of the node's own */
  capture(filter: string, pod?: PodReference): Promise<Capture>;
  /**
   * What the kernel holds for the sockets of pods there.
   * @returns by NAMESPACE/NAME; a pod without its own network namespace there is absent
   */
  sockets(pods: PodReference[]): Promise<Map<string, SocketState[]>>;
}

/** Ports to answer on. */
export interface ListenPorts {
  tcp: number[];
  udp: number[];
}

/** A running probe server. */
export interface RunningServer {
  /** Ends it; its ports are free afterwards. @returns why it did not run until now, if so */
  stop(): Promise<string | undefined>;
}

/** A running capture. */
export interface Capture {
  /** Ends it and returns the captured packets. */
  stop(): Promise<CapturedPacket[]>;
}

/** The answer to a large echo is expected at least at this rate. */
const slowestBytesPerMs = 500;

/** A batch with `count` attempts on one fixed port, or of a given size, runs them in sequence; everything else is concurrent. */
export function longestBatchMs(batch: Probe[]): number {
  const perPort = new Map<string, number>();
  for (const { id, pod, protocol, sourcePort, timeoutMs, count, size } of batch) {
    const inOrder = sourcePort ? `${pod} ${protocol} ${sourcePort}` : size === undefined ? undefined : id;
    const key = inOrder ?? "";
    const each = longestAttemptMs(timeoutMs) + (size ?? 0) / slowestBytesPerMs;
    const milliseconds = inOrder ? count * (each + 1500) : each + 6000;
    perPort.set(
      key,
      inOrder ? (perPort.get(key) ?? 0) + milliseconds : milliseconds * Math.ceil(totalCount(batch) / 256),
    );
  }
  return 20_000 + Math.max(...perPort.values());
}

function totalCount(batch: Probe[]): number {
  return batch.reduce((total, { count }) => total + count, 0);
}

/** The one line of an error stream that says what went wrong, rather than where. */
export function failureLine(stderr: string, otherwise: string): string {
  const lines = stderr.split("\n").map((line) => printable(line.trim()));
  return lines.find((line) => /^\w*Error: /.test(line)) ?? lines.filter(Boolean).at(-1) ?? otherwise;
}
