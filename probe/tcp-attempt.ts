import { connect, isIPv6, type Socket } from "node:net";
import { describe, plainAddress } from "./answer.ts";
import type { Outcome } from "./batch.ts";
import { resultOfError } from "./errors.ts";
import { afterSilence, longestSilenceMs, type Silence, silent } from "./silence.ts";
import { isAcknowledged } from "./sockets.ts";

/** The maximum duration of an attempt with this silence, in milliseconds. */
export const longestAttemptMs = (timeoutMs: number): number => longestSilenceMs(timeoutMs) * (2 + morePatience);

/** One connection to make. */
export interface TcpTarget {
  /** An address, resolved already. */
  address: string;
  port: number;
  /** The HTTP Host header. */
  host: string;
  sourcePort?: number;
  timeoutMs: number;
  /** Names the attempt in the server's log. */
  token: string;
  /** What is asked for. Default: `/`. */
  path?: string;
}

/** After the answer the server may close first, so that TIME_WAIT stays on its side and our port is free immediately. */
const lingerMs = 200;
const longestAnswer = 65_536;
/** The multiple of the usual silence that a program may take if its kernel has acknowledged the request. */
const morePatience = 4;

/**
 * Connects, asks `GET PATH` and reads the answer.
 *
 * Allowed means that data came back: an answer, or at least the server's own close. If a server waits for another
 * protocol, we close our side at half the time; a server that then closes has shown that both directions work.
 * A connection that opens and then stays silent counts as dropped: a dataplane that loses the data looks like this. If the
 * server's kernel has acknowledged the request, it gets more time: packets pass, and its program may only lack CPU.
 */
export function attemptTcp(target: TcpTarget): Promise<Outcome> {
  return new Promise((resolve) => {
    const started = performance.now();
    const socket = connect({ host: target.address, port: target.port, localPort: target.sourcePort, noDelay: true });
    const outcome: Outcome = { verdict: "dropped" };
    let received = "";
    let timers: (() => void)[] = [];
    const after = (milliseconds: number, act: (silence: Silence) => void): void => {
      timers.push(afterSilence(milliseconds, act));
    };
    const settle = (found: Partial<Outcome>): void => {
      Object.assign(outcome, found);
      for (const callOff of timers) callOff();
      timers = [];
    };
    // The port is free only when the socket is closed, so that is when the attempt ends.
    socket.once("close", () => resolve({ ...outcome, ...describe(received) }));

    after(target.timeoutMs, (silence) => {
      settle(silent(`no answer to the connection request within ${target.timeoutMs} ms`, silence));
      socket.destroy();
    });
    const hangUp = (found: Partial<Outcome>): void => {
      settle(found);
      socket.resetAndDestroy();
    };
    socket.once("connect", () => {
      settle({ opened: true, connectMs: round(performance.now() - started), ...local(socket) });
      socket.write(request(target));
      after(target.timeoutMs / 2, () => received === "" && socket.end());
      after(target.timeoutMs, (silence) => {
        if (received) return hangUp({ verdict: "allowed" });
        const acknowledged = isAcknowledged(socket.localPort ?? 0);
        if (!acknowledged)
          return hangUp({ acknowledged, ...silent("the connection opened, then nothing came back", silence) });
        after(target.timeoutMs * morePatience, (longer) =>
          hangUp({
            acknowledged,
            ...silent("the connection opened and the request was acknowledged, then nothing came back", longer),
          }),
        );
      });
    });
    socket.on("data", (chunk) => {
      if (received.length < longestAnswer) received += chunk.toString("utf8");
      if (!isComplete(received)) return;
      settle({ verdict: "allowed" });
      after(lingerMs, () => socket.resetAndDestroy());
    });
    socket.on("end", () => {
      settle({ verdict: "allowed" });
      socket.end();
    });
    socket.on("error", (error: NodeJS.ErrnoException) => {
      if (outcome.verdict === "allowed") return;
      const opened = outcome.connectMs !== undefined;
      settle(
        opened ? { verdict: "allowed", error: `${error.code} after the connection opened` } : resultOfError(error),
      );
    });
  });
}

/** The request that is sent once the connection is open. */
export function request({
  host,
  port,
  token,
  path = "/",
  keep = false,
}: Pick<TcpTarget, "host" | "port" | "token" | "path"> & { keep?: boolean }): string {
  const authority = isIPv6(host) ? `[${host}]:${port}` : `${host}:${port}`;
  return [
    `GET ${path} HTTP/1.1`,
    `Host: ${authority}`,
    `User-Agent: ebpf-dataplane-probe/${token}`,
    "Accept: */*",
    `Connection: ${keep ? "keep-alive" : "close"}`,
    "\r\n",
  ].join("\r\n");
}

function local(socket: Socket): Partial<Outcome> {
  return { localAddress: socket.localAddress && plainAddress(socket.localAddress), localPort: socket.localPort };
}

/** A raw line, or an HTTP response whose announced length has arrived (RFC 9112 section 6.3). */
function isComplete(received: string): boolean {
  if (!received.startsWith("HTTP/")) return received.endsWith("\n");
  const headEnd = received.indexOf("\r\n\r\n");
  const length = received.slice(0, headEnd + 2).match(/^content-length:\s*(\d+)\r$/im)?.[1];
  return headEnd > 0 && length !== undefined && Buffer.byteLength(received.slice(headEnd + 4)) >= Number(length);
}

function round(milliseconds: number): number {
  return Math.round(milliseconds * 1000) / 1000;
}
