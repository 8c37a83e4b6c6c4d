import { readFileSync } from "node:fs";
import type { Logger } from "./log.ts";

/** Files of Secrets. The kubelet replaces them while the agent runs, and they may be missing. An unusable version changes nothing. */
export class SecretFiles {
  readonly #log: Logger;
  readonly #everyMs: number;
  readonly #timers: NodeJS.Timeout[] = [];

  constructor(log: Logger, everyMs: number) {
    this.#log = log;
    this.#everyMs = everyMs;
  }

  /** Calls `use` with the files' texts, now and when they have changed. What it throws is logged, once. */
  follow(what: string, paths: string[], use: (texts: string[]) => void): void {
    let [content, trouble] = ["", ""];
    const read = () => {
      try {
        const texts = paths.map((path) => readFileSync(path, "utf8"));
        if (texts.join("\0") === content) return;
        content = texts.join("\0");
        use(texts);
        trouble = "";
        this.#log.info(`read ${what}`);
      } catch (error) {
        const now = `cannot use ${what}: ${error instanceof Error ? error.message : error}`;
        if (now !== trouble) this.#log.error(now);
        trouble = now;
      }
    };
    read();
    this.#timers.push(setInterval(read, this.#everyMs).unref());
  }

  end(): void {
    for (const timer of this.#timers) clearInterval(timer);
  }
}
