import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import type { Health } from "./observe/health.ts";
import type { Logger } from "./observe/log.ts";

const AGAIN_MS = 1_000;

/** Waits until the run folder can be written, where it is full or read-only. Said once; meanwhile the agent is not ready, and
 * goes on with what needs no file: objects, maps, programs. Only its sockets, by which pods get their networks, wait. */
export async function untilWritable(folder: string, health: Health, log: Logger): Promise<void> {
  let said = "";
  for (let why = obstacle(folder); why; why = obstacle(folder)) {
    const sentence = `the run folder ${folder} cannot be written (${why}): no pod gets a network or loses it; those there are go on with their policies`;
    if (sentence !== said) log.error(`${sentence}. Next: make room there, or mount it read-write.`);
    said = sentence;
    health.waitsFor(sentence);
    await setTimeout(AGAIN_MS);
  }
  if (said) log.info(`the run folder ${folder} can be written again`);
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
