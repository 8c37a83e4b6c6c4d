import { readFileSync, statSync } from "node:fs";
import { z } from "zod";
import type { Logger } from "../observe/log.ts";
import { type AgentOptions, LAST_GOOD_FILE, runFile } from "../options.ts";
import { type KeptVersion, keptVersion, withinRoom } from "../watch/last-good.ts";
import { replacePrivately } from "./private-files.ts";

const MOST_BYTES = 64 * 1024 * 1024;
const content = z.array(keptVersion);

/** The last good versions of policies that cannot be read, in a file of the run folder that only root reads and writes. If the file is
 * missing or damaged, such policies close. */
export class LastGoodFile {
  readonly #path: string;
  readonly #log: Pick<Logger, "warn">;
  #saved: string | undefined;
  #reported = "";

  constructor(options: Pick<AgentOptions, "runDirectory">, log: Pick<Logger, "warn">) {
    this.#path = runFile(options, LAST_GOOD_FILE);
    this.#log = log;
  }

  read(): readonly KeptVersion[] {
    try {
      if (statSync(this.#path).size > MOST_BYTES) return [];
      return content.safeParse(JSON.parse(readFileSync(this.#path, "utf8"))).data ?? [];
    } catch {
      return [];
    }
  }

  /** Writes it if it changed. */
  save(versions: readonly KeptVersion[]): void {
    const text = JSON.stringify(withinRoom(versions));
    if (text === this.#saved) return;
    try {
      replacePrivately(this.#path, text);
      this.#saved = text;
      this.#reported = "";
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      if (reason !== this.#reported)
        this.#log.warn(`policies that cannot be read close when the agent starts again: ${reason}`);
      this.#reported = reason;
    }
  }
}
