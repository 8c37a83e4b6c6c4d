import { type AttemptResult, type Probe, READY } from "../../probe/batch.ts";
import { failureLine, longestBatchMs, type Prepared, type RunningCommand } from "./actor.ts";

/** A prober has a process for every pod, and starts on a busy computer. */
const readyMs = 90_000;

/** Starts the prober somewhere. Resolves when it is ready to send at once; otherwise rejects with a message.
 * @param where names the place in messages
 * @param run starts `probe --wait` and hands over its output line by line */
export async function prepareProber(
  where: string,
  batch: Probe[],
  run: (onLine: (line: string) => void) => Promise<RunningCommand>,
): Promise<Prepared> {
  const results: AttemptResult[] = [];
  let ready = (): void => {};
  const isReady = new Promise<void>((resolve) => {
    ready = resolve;
  });
  const running = await run((line) => (line === READY ? ready() : results.push(JSON.parse(line))));
  running.write(`${JSON.stringify(batch)}\n`);
  const late = setTimeout(() => running.abort(), readyMs);
  const early = running.ended.then(({ code, stderr }) => {
    throw new Error(`${where}: ${failureLine(stderr, `the prober ended with code ${code} before it was ready`)}`);
  });
  await Promise.race([isReady, early]).finally(() => clearTimeout(late));
  early.catch(() => {});
  return {
    send: async () => {
      running.write("\n");
      const deadline = setTimeout(() => running.abort(), longestBatchMs(batch));
      const { code, stderr } = await running.ended.finally(() => clearTimeout(deadline));
      if (code !== 0) throw new Error(`${where}: ${failureLine(stderr, `the prober ended with code ${code}`)}`);
      return results;
    },
  };
}
