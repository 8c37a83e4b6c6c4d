import type { PolicyNames } from "../compile/desired.ts";
import { type AgentOptions, NAMES_FILE, runFile } from "../options.ts";
import { replacePrivately } from "../run-folder/private-files.ts";
import type { Logger } from "./log.ts";
import { KINDS_OF_NUMBERS, NumberHistory } from "./number-history.ts";

/** The names of the numbers in the maps: in this process those of the recent past too, in a file the present ones for `inspect`,
 * which is another process. If the file cannot be written, `inspect` shows numbers without names; nothing else is affected. */
export class NumberNames {
  readonly #path: string;
  readonly #log: Pick<Logger, "warn">;
  readonly #history = new NumberHistory();
  #saved: PolicyNames | undefined;
  #reported = "";

  constructor(options: Pick<AgentOptions, "runDirectory">, log: Pick<Logger, "warn">) {
    this.#path = runFile(options, NAMES_FILE);
    this.#log = log;
  }

  get names(): PolicyNames {
    return this.#history.names;
  }

  /** Adds the current names of the numbers in the maps. */
  add(names: PolicyNames): void {
    this.#history.add(names);
    const saved = this.#saved;
    if (saved && KINDS_OF_NUMBERS.every((kind) => sameNames(saved[kind], names[kind]))) return;
    try {
      const text = JSON.stringify(Object.fromEntries(KINDS_OF_NUMBERS.map((kind) => [kind, [...names[kind]]])));
      replacePrivately(this.#path, text);
      this.#saved = names;
      this.#reported = "";
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      if (reason !== this.#reported) this.#log.warn(`"inspect" shows numbers without names: ${reason}`);
      this.#reported = reason;
    }
  }
}

function sameNames(a: ReadonlyMap<number, string>, b: ReadonlyMap<number, string>): boolean {
  if (a === b) return true;
  if (a.size !== b.size) return false;
  for (const [number, name] of b) if (a.get(number) !== name) return false;
  return true;
}
