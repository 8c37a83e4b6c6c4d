import type { CapturedPacket } from "../../probe/capture.ts";
import { type Capture, failureLine, type RunningCommand } from "./actor.ts";

/** As probers: on a busy computer it takes long until they run. */
const startMs = 90_000;

/**
 * Runs the prober's capture command somewhere. Resolves when packets are being seen.
 *
 * @param where names the place in messages
 * @param run starts the command and hands over its output line by line
 */
export async function startCapture(
  where: string,
  run: (onLine: (line: string) => void) => Promise<RunningCommand>,
): Promise<Capture> {
  const packets: CapturedPacket[] = [];
  let listening = (): void => {};
  const started = new Promise<void>((resolve) => {
    listening = resolve;
  });
  const running = await run((line) => {
    const said = JSON.parse(line) as CapturedPacket | { listening: true };
    if ("listening" in said) listening();
    else packets.push(said);
  });
  const late = setTimeout(() => running.abort(), startMs);
  const early = running.ended.then(({ stderr }) => {
    throw new Error(`capture on ${where} ended at once: ${failureLine(stderr, "it said nothing")}`);
  });
  await Promise.race([started, early]).finally(() => clearTimeout(late));
  early.catch(() => {});
  return {
    stop: async () => {
      running.write("\n");
      const deadline = setTimeout(() => running.abort(), startMs);
      await running.ended.finally(() => clearTimeout(deadline));
      return packets;
    },
  };
}
