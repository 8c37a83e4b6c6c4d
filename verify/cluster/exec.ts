import { PassThrough, Writable } from "node:stream";
import { Exec, type V1Status } from "@kubernetes/client-node";
import type { RunningCommand } from "../actors/actor.ts";
import type { ApiServer } from "./api-server.ts";

/** Larger messages than this are cut in pieces, which every proxy on the way accepts. */
const chunkBytes = 16_384;

/** Starts a command in a pod's container over WebSocket (KEP-4006) and hands over its output line by line. */
export async function execInPod(
  api: ApiServer,
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
  let status: V1Status | undefined;
  const socket = await new Exec(api.config)
    .exec(pod.namespace, pod.name, pod.container, command, output, errors, input, false, (ended) => {
      status = ended;
    })
    .catch((event: { message?: string }) => {
      throw new Error(`exec in pod ${pod.namespace}/${pod.name}: ${event.message ?? "the connection failed"}`);
    });
  const ended = new Promise<{ code: number; stderr: string }>((resolve, reject) => {
    socket.addEventListener("close", () => {
      if (status) return resolve({ code: exitCode(status), stderr });
      reject(new Error(`exec in pod ${pod.namespace}/${pod.name}: the connection closed before the command ended`));
    });
  });
  return {
    write: (text) => {
      const bytes = Buffer.from(text);
      for (let at = 0; at < bytes.length; at += chunkBytes) input.write(bytes.subarray(at, at + chunkBytes));
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
