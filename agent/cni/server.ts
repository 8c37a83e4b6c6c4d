import { createServer, type Server, type ServerResponse } from "node:http";
import { json } from "node:stream/consumers";
import type { Logger } from "pino";
import { listenPrivately } from "../run-folder/private-socket.ts";
import type { CniPlugin } from "./plugin.ts";
import { CniCode, CniError, type CniRequest, parseRequest } from "./request.ts";

/** Serves the shim's calls at a Unix socket: 200 with the result, 500 with CNI's error object. Calls `called` for each. */
export function serveCni(
  socket: string,
  plugin: CniPlugin,
  log: Logger,
  called: (command: string, result: "done" | "failed", seconds: number) => void = () => {},
): Promise<Server> {
  const server = createServer(async (request, response) => {
    const started = performance.now();
    const done = (result: "done" | "failed") =>
      called(call?.env.CNI_COMMAND ?? "unreadable", result, (performance.now() - started) / 1000);
    let call: CniRequest | undefined;
    try {
      call = parseRequest(await json(request));
      const result = await plugin.call(call);
      log.debug({ call: call.env }, `CNI ${call.env.CNI_COMMAND} done`);
      done("done");
      answer(response, 200, result ? JSON.stringify(result) : "");
    } catch (error) {
      done("failed");
      const failure = failureOf(error, call);
      log.warn({ call: call?.env, ...failure }, `CNI ${call?.env.CNI_COMMAND ?? "call"} failed: ${failure.msg}`);
      answer(response, 500, JSON.stringify(failure));
    }
  });
  return listenPrivately(server, socket); // clients can change the networks of pods
}

/** With its length, so that the shim can check that the answer is complete. */
function answer(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, { "content-length": Buffer.byteLength(text) }).end(text);
}

function failureOf(error: unknown, call: CniRequest | undefined) {
  const cniVersion = call?.config.cniVersion ?? "1.0.0";
  if (error instanceof CniError) return { cniVersion, code: error.code, msg: error.message, details: error.details };
  return {
    cniVersion,
    code: CniCode.INTERNAL,
    msg: error instanceof Error ? error.message : String(error),
    details: "",
  };
}
