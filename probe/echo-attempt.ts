import { connect, type Socket } from "node:net";
import { describe, plainAddress } from "./answer.ts";
import type { Outcome } from "./batch.ts";
import { bytesAt, Comparison, seedOf } from "./echo.ts";
import { resultOfError } from "./errors.ts";
import { afterSilence, silent } from "./silence.ts";
import { isAcknowledged } from "./sockets.ts";
import type { TcpTarget } from "./tcp-attempt.ts";

const chunkBytes = 65_536;

/** Why an echo is not known whose bytes left after a probe server took the client for a silent one. */
const TOO_LATE = "the bytes left too late: this computer is busy";
/** Nothing of the request was judged: trying again is the same attempt. */
export const leftTooLate = ({ undecided }: Outcome): boolean => undecided === TOO_LATE;

/**
 * Connects, sends `size` bytes, closes its side, and compares what comes back. Silence counts from the last byte that came or left.
 * A connection that stops before the echo is whole is dropped; one that the server ends early is allowed, with fewer bytes.
 */
export function attemptEcho(target: TcpTarget, size: number): Promise<Outcome> {
  return new Promise((resolve) => {
    const started = performance.now();
    const { address, port, sourcePort, timeoutMs, token } = target;
    const socket = connect({ host: address, port, localPort: sourcePort, noDelay: true, allowHalfOpen: true });
    const comparison = new Comparison(token, size);
    const outcome: Outcome = { verdict: "dropped" };
    let callOff = (): void => {};
    let opened = false;
    let ended = false;
    const end = (found: Partial<Outcome>): void => {
      if (ended) return;
      ended = true;
      callOff();
      Object.assign(outcome, found);
      // A reset waits for the connection to open.
      if (opened) socket.resetAndDestroy();
      else socket.destroy();
    };
    const expectProgress = (): void => {
      callOff();
      if (ended) return;
      callOff = afterSilence(timeoutMs, (silence) =>
        end({
          ...(opened && comparison.echoed === 0 && { acknowledged: isAcknowledged(socket.localPort ?? 0) }),
          ...silent(stopped(opened, comparison.echoed, size, timeoutMs), silence),
        }),
      );
    };
    // The port is free only when the socket is closed.
    socket.once("close", () => resolve({ ...outcome, ...(opened && echoOf(comparison)) }));
    socket.once("connect", () => {
      opened = true;
      outcome.opened = true;
      outcome.connectMs = Math.round((performance.now() - started) * 1000) / 1000;
      outcome.localAddress = socket.localAddress && plainAddress(socket.localAddress);
      outcome.localPort = socket.localPort;
      send(socket, seedOf(token), size, expectProgress);
    });
    socket.on("data", (chunk) => {
      comparison.add(chunk);
      expectProgress();
    });
    socket.on("end", () => {
      // A probe server tells a client that is silent for a moment who it is: then the bytes came too late, not altered.
      const early = comparison.echoed === 0 && describe(comparison.rest).server !== undefined;
      end(early ? { verdict: "none", undecided: TOO_LATE } : { verdict: "allowed" });
    });
    socket.on("error", (error: NodeJS.ErrnoException) => {
      // After the echo the server may reset at once.
      if (comparison.whole) return end({ verdict: "allowed" });
      end(opened ? { verdict: "allowed", error: `${error.code} after the connection opened` } : resultOfError(error));
    });
    expectProgress();
  });
}

/** Writes in pieces, each when the one before has left this process. */
function send(socket: Socket, seed: number, size: number, progress: () => void): void {
  let at = 0;
  const next = (): void => {
    progress();
    while (at < size) {
      const length = Math.min(chunkBytes, size - at);
      const room = socket.write(bytesAt(seed, at, length));
      at += length;
      if (!room) return void socket.once("drain", next);
    }
    socket.end();
  };
  next();
}

function stopped(opened: boolean, echoed: number, size: number, timeoutMs: number): string {
  if (!opened) return `no answer to the connection request within ${timeoutMs} ms`;
  if (echoed === 0) return "the connection opened, then nothing came back";
  return `${echoed} of ${size} bytes came back, then nothing for ${timeoutMs} ms`;
}

/** The part of an outcome that says what came back. */
export function echoOf({ echoed, differsAt, rest }: Comparison): Partial<Outcome> {
  return { echoed, ...(differsAt !== undefined && { differsAt }), ...describe(rest) };
}
