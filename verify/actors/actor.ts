import type { AttemptResult, Probe } from "../../agent/probe/batch.ts";
import type { CapturedReply } from "../../agent/probe/capture.ts";

/** Somebody who can run probes: a machine of the lab, a node's agent; over SSH some day. */
export interface Actor {
  /** Runs a batch. Rejects, in words, when the actor itself cannot be reached. */
  probe(batch: Probe[]): Promise<AttemptResult[]>;
}

/** A capture under way on a node. */
export interface Capture {
  /** Ends it and gives what left the node. */
  stop(): Promise<CapturedReply[]>;
}

/** A node, which besides probing can witness what leaves it. */
export interface NodeActor extends Actor {
  /** Resolves when packets are being seen. @param filter in pcap's language */
  capture(filter: string): Promise<Capture>;
}

/** A batch with `count` attempts on one fixed port runs them in a row; everything else is at once. */
export function longestBatchMs(batch: Probe[]): number {
  const perPort = new Map<string, number>();
  for (const { pod, protocol, sourcePort, timeoutMs, count } of batch) {
    const key = sourcePort ? `${pod} ${protocol} ${sourcePort}` : "";
    const milliseconds = sourcePort ? count * (2 * timeoutMs + 1500) : 2 * timeoutMs + 6000;
    perPort.set(
      key,
      sourcePort ? (perPort.get(key) ?? 0) + milliseconds : milliseconds * Math.ceil(totalCount(batch) / 256),
    );
  }
  return 20_000 + Math.max(...perPort.values());
}

function totalCount(batch: Probe[]): number {
  return batch.reduce((total, { count }) => total + count, 0);
}

/** The one line of an error stream that says what went wrong, rather than where. */
export function failureLine(stderr: string, otherwise: string): string {
  const lines = stderr.split("\n").map((line) => line.trim());
  return lines.find((line) => /^\w*Error: /.test(line)) ?? lines.filter(Boolean).at(-1) ?? otherwise;
}
