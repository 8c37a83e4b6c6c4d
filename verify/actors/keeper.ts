import { type AttemptResult, attemptsIn, type Probe, READY } from "../../probe/batch.ts";
import { Dialogue } from "../../probe/dialogue.ts";
import { failureLine, type KeptSockets, longestBatchMs, type RunningCommand } from "./actor.ts";

const startMs = 90_000;
const endMs = 10_000;

/** The protocol of a prober's session; by default this package's own. */
export interface Language {
  /** The line for a batch. */
  question(batch: Probe[]): string;
  /** The meaning of a line of output. */
  result(line: string, batch: Probe[]): AttemptResult;
  /** Whether the prober says when it is ready. */
  announces: boolean;
}

const OWN: Language = {
  question: (batch) => JSON.stringify(batch),
  result: (line) => JSON.parse(line),
  announces: true,
};

/**
 * Starts a prober that keeps sockets open. Resolves when it is ready to send.
 *
 * @param where names the place in messages
 * @param run starts the command and hands over its output line by line
 */
export async function startKeeper(
  where: string,
  run: (onLine: (line: string) => void) => Promise<RunningCommand>,
  language: Language = OWN,
): Promise<KeptSockets> {
  const started = Promise.withResolvers<void>();
  let dialogue: Dialogue | undefined;
  const running = await run((line) => (line === READY ? started.resolve() : dialogue?.heard(line)));
  const ended = running.ended.then(
    ({ code, stderr }) => `${where}: ${failureLine(stderr, `the prober that keeps sockets ended with code ${code}`)}`,
    (error: Error) => error.message,
  );
  dialogue = new Dialogue({ write: running.write, ended });
  if (language.announces) {
    const late = setTimeout(() => running.abort(), startMs);
    const early = ended.then((why) => Promise.reject(new Error(why)));
    early.catch(() => {});
    await Promise.race([started.promise, early]).finally(() => clearTimeout(late));
  }
  return {
    send: async (batch) => {
      const results: AttemptResult[] = [];
      const deadline = setTimeout(() => running.abort(), longestBatchMs(batch));
      const each = (line: string): void => void results.push(language.result(line, batch));
      await dialogue.ask(language.question(batch), attemptsIn(batch), each).finally(() => clearTimeout(deadline));
      return results;
    },
    close: async () => {
      running.write("\n");
      const deadline = setTimeout(() => running.abort(), endMs);
      await ended.finally(() => clearTimeout(deadline));
    },
  };
}
