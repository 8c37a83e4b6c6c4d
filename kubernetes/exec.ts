import { PassThrough, Writable } from "node:stream";
import { StringDecoder } from "node:string_decoder";
import { Exec, type V1Status } from "@kubernetes/client-node";
import { KubernetesError } from "./errors.ts";
import type { Kubeconfig } from "./kubeconfig.ts";
import type { ApiServer } from "./transport.ts";

/** A command that runs somewhere else. */
export interface RunningCommand {
  /** Sends text to its input. */
  write(text: string): void;
  /** Ends it, or at least the way to it. */
  abort(): void;
  /** Settles when the command ended: its exit code and the last it said on its error stream. */
  ended: Promise<{ code: number | null; stderr: string }>;
}

/** Larger messages than this are cut in pieces, which every proxy on the way accepts. */
const CHUNK_BYTES = 16_384;
/** For a node that accepts and says nothing: the API server waits for its kubelet without an end. */
const OPEN_MS = 120_000;
const NEXT = "check the pod and its node (kubectl describe pod), and that a proxy in between allows WebSockets";

/** A container. */
export interface Container {
  namespace: string;
  name: string;
  container: string;
}

/**
 * Starts a command in a pod's container over WebSocket (KEP-4006) and hands over its output line by line. What `onLine` throws ends the command: a
 * container can say what it likes, and that must not end this program.
 * @throws KubernetesError, also if it has not begun after `openMs`
 */
export async function execInPod(
  { access }: ApiServer<Kubeconfig>,
  pod: Container,
  command: string[],
  onLine: (line: string) => void,
  openMs = OPEN_MS,
): Promise<RunningCommand> {
  const where = `exec in pod ${pod.namespace}/${pod.name} at ${access.server}`;
  const input = new PassThrough();
  const errors = lastOf(2000);
  let status: V1Status | undefined;
  const noted = (ended: V1Status) => {
    status = ended;
  };
  const { namespace, name, container } = pod;
  let fault: Error | undefined;
  const heard = (line: string) => {
    if (!fault) onLine(line);
  };
  const output = lines(heard, (error) => {
    fault ??= error;
    opened?.close();
  });
  let opened: { close(): void } | undefined;
  const open = () =>
    new Exec(access.library).exec(namespace, name, container, command, output, errors.stream, input, false, noted);
  const socket = await inTime(withRenewal(access, open), openMs).catch((event: FailedSocket) => {
    if (event instanceof KubernetesError) throw event;
    throw new KubernetesError(`${where}: ${event.message || "the connection failed"}`, { next: NEXT });
  });
  opened = socket;
  if (fault) socket.close();
  const ended = new Promise<{ code: number; stderr: string }>((resolve, reject) => {
    socket.addEventListener("close", () => {
      if (fault) return reject(fault);
      if (status) return resolve({ code: exitCode(status), stderr: errors.text() });
      reject(new KubernetesError(`${where}: the connection closed before the command ended`, { next: NEXT }));
    });
  });
  return {
    write: (text) => {
      const bytes = Buffer.from(text);
      for (let at = 0; at < bytes.length; at += CHUNK_BYTES) input.write(bytes.subarray(at, at + CHUNK_BYTES));
    },
    abort: () => socket.close(),
    ended,
  };
}

/** How the library says that a WebSocket did not come about: "Unexpected server response: 401". */
interface FailedSocket {
  message?: string;
}

/** As for any other request: refused credentials are renewed, and it is tried once more. */
async function withRenewal<T>(access: Kubeconfig, open: () => Promise<T>): Promise<T> {
  const used = await access.options();
  return open().catch((event: FailedSocket) => {
    if (!event.message?.endsWith(" 401")) throw event;
    access.renew(used);
    return open();
  });
}

/** What comes too late is closed. */
async function inTime<Socket extends { close(): void }>(opening: Promise<Socket>, openMs: number): Promise<Socket> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => {
    late.reject(new Error(`it did not begin within ${Math.round(openMs / 1000)} s`));
    opening.then((socket) => socket.close()).catch(() => {}); // the problem is known
  }, openMs);
  return Promise.race([opening, late.promise]).finally(() => clearTimeout(timer));
}

/** Keeps the last characters of what is written. */
function lastOf(characters: number): { stream: Writable; text: () => string } {
  let text = "";
  const stream = new Writable({
    write: (chunk, _encoding, done) => {
      text = (text + chunk).slice(-characters);
      done();
    },
  });
  return { stream, text: () => text };
}

/** Characters of a line. The sockets of a pod are one line, of about 100 characters each. */
const MOST_OF_A_LINE = 64_000_000;

function lines(onLine: (line: string) => void, onFault: (fault: Error) => void): Writable {
  // Messages end anywhere, also within a character.
  const decoder = new StringDecoder("utf8");
  let rest: string[] = [];
  let waiting = 0;
  return new Writable({
    write: (chunk, _encoding, done) => {
      try {
        const [first = "", ...others] = decoder.write(chunk).split("\n");
        rest.push(first);
        waiting += first.length;
        if (waiting > MOST_OF_A_LINE) throw new Error(`it wrote a line of more than ${MOST_OF_A_LINE} characters`);
        for (const other of others) {
          const line = rest.join("");
          [rest, waiting] = [[other], other.length];
          onLine(line);
        }
      } catch (fault) {
        [rest, waiting] = [[], 0];
        onFault(fault as Error);
      }
      done();
    },
  });
}

function exitCode({ status, details }: V1Status): number {
  if (status === "Success") return 0;
  return Number(details?.causes?.find(({ reason }) => reason === "ExitCode")?.message ?? 1);
}
