import { request } from "node:http";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { EVENT_SOCKET } from "../../options.ts";

/** Reads the agent's lines at its socket until it ends them or `signal` aborts. Rejects in words when there is no agent, or
 * it refuses. */
export async function readEvents(
  runDirectory: string,
  path: string,
  line: (record: unknown) => void,
  signal: AbortSignal,
): Promise<void> {
  const socketPath = join(runDirectory, EVENT_SOCKET);
  await new Promise<void>((resolve, reject) => {
    const asked = request({ socketPath, path, signal }, (response) => {
      const lines = createInterface(response);
      if (response.statusCode !== 200) {
        const said: string[] = [];
        lines.on("line", (text) => said.push(text)).once("close", () => reject(new Error(said.join("\n"))));
        return;
      }
      for (const end of [response, lines]) end.on("error", () => resolve()); // the agent ended, or we were asked to
      lines.on("line", (text) => line(JSON.parse(text))).once("close", () => resolve());
    });
    asked.once("error", (error) => {
      if (signal.aborted) return resolve();
      reject(
        new Error(
          `No agent answers at ${socketPath}: ${error.message}. Next: does one of this version run on this node?`,
        ),
      );
    });
    asked.end();
  });
}
