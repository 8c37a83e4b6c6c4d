import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import type { Health } from "../observe/health.ts";
import type { Logger } from "../observe/log.ts";

const AGAIN_MS = 1_000;

/** Waits until the run folder is writable, if it is full or read-only. Logs this once; meanwhile the agent is not ready, and
 * continues with what needs no file: objects, maps, programs. Only its sockets, through which pods get their network, wait. */
export async function untilWritable(folder: string, health: Health, log: Logger): Promise<void> {
  let reported = "";
  for (let why = obstacle(folder); why; why = obstacle(folder)) {
    const sentence = `the run folder ${folder} is not writable (${why}): no pod is added or removed; existing pods keep their network and policies`;
    if (sentence !== reported) log.error(`${sentence}. Next: make room there, or mount it read-write.`);
    reported = sentence;
    health.waitsFor(sentence);
    await setTimeout(AGAIN_MS);
  }
  if (reported) log.info(`the run folder ${folder} is writable again`);
}

function obstacle(folder: string): string | undefined {
  const file = join(folder, ".writable");
  try {
    writeFileSync(file, "yes");
    rmSync(file);
    return undefined;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? String(error);
  }
}
