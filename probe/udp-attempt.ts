import { createSocket } from "node:dgram";
import { isIPv6 } from "node:net";
import { describe, plainAddress } from "./answer.ts";
import type { Outcome } from "./batch.ts";
import { bytesAt, Comparison, seedOf } from "./echo.ts";
import { echoOf } from "./echo-attempt.ts";
import { resultOfError } from "./errors.ts";
import { afterSilence, silent } from "./silence.ts";

/** One datagram to send. */
export interface UdpTarget {
  /** An address, resolved already. */
  address: string;
  port: number;
  sourcePort?: number;
  timeoutMs: number;
  token: string;
  /** Bytes to send, which are expected back. */
  size?: number;
}

/**
 * Sends one datagram from a connected socket, so that the kernel reports ICMP "port unreachable" (udp(7)).
 * A lost datagram is not sent again: the attempt is then dropped.
 */
export function attemptUdp(target: UdpTarget): Promise<Outcome> {
  return new Promise((resolve) => {
    const socket = createSocket(isIPv6(target.address) ? "udp6" : "udp4");
    let local: Partial<Outcome> = {};
    let started = performance.now();
    const settle = (outcome: Outcome): void => {
      callOff();
      socket.removeAllListeners();
      socket.on("error", () => {});
      socket.close(() => resolve({ ...outcome, ...local }));
    };
    const callOff = afterSilence(target.timeoutMs, (silence) =>
      settle(silent(`no answer within ${target.timeoutMs} ms`, silence)),
    );
    socket.once("error", (error: NodeJS.ErrnoException) => settle(resultOfError(error)));
    socket.once("message", (message) => {
      const connectMs = Math.round((performance.now() - started) * 1000) / 1000;
      settle({ verdict: "allowed", connectMs, ...outcomeOf(target, message) });
    });
    socket.bind(target.sourcePort ?? 0, () => {
      // The type omits the callback's error: a dataplane may refuse at the socket.
      const connected = (error?: NodeJS.ErrnoException): void => {
        if (error) {
          settle(resultOfError(error));
          return;
        }
        const { address, port } = socket.address();
        local = { localAddress: plainAddress(address), localPort: port };
        started = performance.now();
        socket.send(payload(target));
      };
      socket.connect(target.port, target.address, connected);
    });
  });
}

/** What an answer says. */
function outcomeOf({ token, size }: UdpTarget, message: Buffer): Partial<Outcome> {
  if (size === undefined) return describe(message.toString("utf8"));
  const comparison = new Comparison(token, size);
  comparison.add(message);
  return echoOf(comparison);
}

/** The token as a line, or the bytes that are expected back; name servers get a valid query, since they drop everything else. */
export function payload({ port, token, size }: Pick<UdpTarget, "port" | "token" | "size">): Buffer {
  if (size !== undefined) return bytesAt(seedOf(token), 0, size);
  return port === 53 ? dnsQuestion(token) : Buffer.from(`${token}\n`);
}

/**
 * A question for the A record of `<token>.cluster.local.` (RFC 1035 section 4.1): a cluster's name server knows without a lookup that
 * there is none, while an external name would make it wait for servers that may be unreachable.
 */
function dnsQuestion(token: string): Buffer {
  const labels = `${token}.cluster.local`
    .split(".")
    .flatMap((label) => [Buffer.from([Math.min(label.length, 63)]), Buffer.from(label.slice(0, 63))]);
  const header = Buffer.from([0x65, 0x62, 0x01, 0x00, 0, 1, 0, 0, 0, 0, 0, 0]);
  return Buffer.concat([header, ...labels, Buffer.from([0, 0, 1, 0, 1])]);
}
