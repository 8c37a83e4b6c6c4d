import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { failureLine } from "../../verify/actors/actor.ts";

/** How the load generator runs (main.c). */
export interface LoadOptions {
  /** The command prefix that runs it on the client: a machine's `lab exec`, or empty for this computer. */
  enter: string[];
  /** The program, as the machine sees it. */
  program: string;
  /** Processor that it runs on; absent: any. */
  processor?: number;
  /** Connections open at a time. */
  concurrency: number;
  /** Milliseconds without a packet after which a connection has failed; default 1000. */
  timeoutMs?: number;
  /** Milliseconds after which a round opens no further connection; default 20,000. */
  roundMs?: number;
}

/** One round: connections to one target, one source port each. At most 65,535 requests. */
export interface Round {
  /** IPv4 address. */
  host: string;
  port: number;
  /** The client's own address. */
  source: string;
  firstPort: number;
  connections: number;
  /** Requests on each connection. Default 1: a connection for each. */
  requests?: number;
  /** Path of the request, for the server's log. */
  path: string;
  /** Whether the kernel counts the run time of BPF programs meanwhile, which itself costs time. */
  countBpf?: boolean;
}

/** Kinds of failed connections. */
export type LoadFailure =
  | "portTaken"
  | "refused"
  | "noConnection"
  | "noAnswer"
  | "reset"
  | "unreachable"
  | "shortAnswer"
  | "notOk"
  | "other"
  | "notTried";

/** The result of a round. */
export interface RoundResult {
  /** Of each answered connection, in order: connect, GET, whole answer, close. With several requests on each: of each answered request, GET and whole
   * answer. */
  nanoseconds: number[];
  failures: Partial<Record<LoadFailure, number>>;
  elapsedNs: number;
  /** The load generator's own processor time, including the processing of packets that it sends. */
  processorNs: number;
  bpfCounted: boolean;
  /** Of the whole computer, where the processor counts them. */
  instructions?: number;
}

/** A load generator that runs until it is closed, so that no round starts a process. */
export interface Load {
  /** Rounds run one after another. Rejects when the generator cannot be reached or has ended. */
  round(round: Round): Promise<RoundResult>;
  close(): Promise<void>;
}

/** Starts the load generator; it ends with this process. */
export function openLoad({
  enter,
  program,
  processor = -1,
  concurrency,
  timeoutMs = 1000,
  roundMs = 20_000,
}: LoadOptions): Load {
  const [file, ...args] = [...enter, program, ...[processor, concurrency, timeoutMs, roundMs].map(String)] as [string];
  const child = spawn(file, args, { stdio: "pipe" });
  let said = "";
  child.stderr.on("data", (chunk) => {
    said = (said + chunk).slice(-1000);
  });
  child.stdin.on("error", () => {});
  let failure: Error | undefined;
  const ended = new Promise<void>((resolve) => {
    child.once("error", (error) => {
      failure = error;
      resolve();
    });
    child.once("close", () => resolve());
  });
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
  let last: Promise<unknown> = Promise.resolve();

  const ask = async (round: Round): Promise<RoundResult> => {
    const { host, port, source, firstPort, connections, requests = 1, path, countBpf } = round;
    child.stdin.write(`${[host, port, source, firstPort, connections, requests, path, countBpf ? 1 : 0].join(" ")}\n`);
    // A generator that hangs in spite of its own limits is killed, and the round fails.
    const deadline = setTimeout(() => child.kill("SIGKILL"), roundMs + 4 * timeoutMs + 10_000);
    const { value, done } = await lines.next().finally(() => clearTimeout(deadline));
    if (!done) return JSON.parse(value) as RoundResult;
    await ended;
    throw new Error(`the load generator ended: ${failure?.message ?? failureLine(said, "it said nothing")}`);
  };
  return {
    round: (round) => {
      const result = last.then(() => ask(round));
      last = result.catch(() => {});
      return result;
    },
    close: async () => {
      child.stdin.end();
      const deadline = setTimeout(() => child.kill("SIGKILL"), 2000);
      await ended.finally(() => clearTimeout(deadline));
    },
  };
}
