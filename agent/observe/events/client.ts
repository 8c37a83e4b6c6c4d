import { request } from "node:http";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { asText } from "../../../model/printable.ts";
import { EVENT_SOCKET } from "../../options.ts";

/**
 * Reads the agent's lines from its socket until the agent ends or `signal` aborts. They quote what anybody may have written into a policy: nothing of it is left that a terminal
 * would obey. Rejects with an explanation if there is no agent, or
 * if it refuses.
 * @param enough of a trace: aborts when what happened until now is enough. The agent then tells the rest of it, and ends.
 */
export async function readEvents(
  runDirectory: string,
  path: string,
  line: (record: unknown) => void,
  signal: AbortSignal,
  enough?: AbortSignal,
): Promise<void> {
  const socketPath = join(runDirectory, EVENT_SOCKET);
  await new Promise<void>((resolve, reject) => {
    let isAnswered = false;
    const asked = request({ socketPath, path, signal, method: enough ? "POST" : "GET" }, (response) => {
      isAnswered = true;
      const lines = createInterface(response);
      if (response.statusCode !== 200) {
        const said: string[] = [];
        lines.on("line", (text) => said.push(text)).once("close", () => reject(new Error(said.join("\n"))));
        return;
      }
      for (const end of [response, lines]) end.on("error", () => resolve()); // the agent ended, or `signal` aborted
      lines.on("line", (text) => line(asText(JSON.parse(text)))).once("close", () => resolve());
    });
    // Also applies to a request that is not complete when the agent ends.
    asked.on("error", (error) => {
      if (signal.aborted || isAnswered) return resolve();
      reject(
        new Error(
          `No agent answers at ${socketPath}: ${error.message}. Next: check that an agent of this version runs on this node.`,
        ),
      );
    });
    if (!enough || enough.aborted) return void asked.end();
    asked.flushHeaders(); // the request ends later
    enough.addEventListener("abort", () => asked.end(), { once: true });
  });
}
