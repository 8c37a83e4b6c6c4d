import { PassThrough, Writable } from "node:stream";
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
const NEXT =
  "see whether the pod and its node are well (kubectl describe pod), and whether a proxy on the way lets WebSockets through";

/** Starts a command in a pod's container over WebSocket (KEP-4006) and hands over its output line by line. */
export async function execInPod(
  { access }: ApiServer<Kubeconfig>,
  pod: { namespace: string; name: string; container: string },
  command: string[],
  onLine: (line: string) => void,
): Promise<RunningCommand> {
  const input = new PassThrough();
  let stderr = "";
  const output = lines(onLine);
  const errors = new Writable({
    write: (chunk, _encoding, done) => {
      stderr = (stderr + chunk).slice(-2000);
      done();
    },
  });
  const where = `exec in pod ${pod.namespace}/${pod.name} at ${access.server}`;
  let status: V1Status | undefined;
  const socket = await new Exec(access.library)
    .exec(pod.namespace, pod.name, pod.container, command, output, errors, input, false, (ended) => {
      status = ended;
    })
    .catch((event: { message?: string }) => {
      throw new KubernetesError(`${where}: ${event.message ?? "the connection failed"}`, { next: NEXT });
    });
  const ended = new Promise<{ code: number; stderr: string }>((resolve, reject) => {
    socket.addEventListener("close", () => {
      if (status) return resolve({ code: exitCode(status), stderr });
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

function lines(onLine: (line: string) => void): Writable {
  let rest = "";
  return new Writable({
    write: (chunk, _encoding, done) => {
      const parts = (rest + chunk).split("\n");
      rest = parts.pop() ?? "";
      for (const part of parts) onLine(part);
      done();
    },
  });
}

function exitCode({ status, details }: V1Status): number {
  if (status === "Success") return 0;
  return Number(details?.causes?.find(({ reason }) => reason === "ExitCode")?.message ?? 1);
}
