import { existsSync, readdirSync } from "node:fs";
import { appendFile, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import type { FlowLogSettings } from "../../../model/flow/settings.ts";
import { privateFolder } from "../../run-folder/private-files.ts";

const FILE = "flows.log";

/** The files of a flow log: flows.log, and older ones flows.log.1, flows.log.2 … */
export class LogFiles {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** Appends to the current file, and begins a new one when it is full. Files beyond the limit are removed. Rejects if the disk refuses. */
  async append(text: string, { maxFiles, maxFileBytes }: FlowLogSettings): Promise<void> {
    privateFolder(this.#folder);
    const bytes = Buffer.byteLength(text);
    const size = await stat(this.#path(0)).then(
      (found) => found.size,
      () => 0,
    );
    if (size > 0 && size + bytes > maxFileBytes) await this.#rotate(maxFiles);
    await appendFile(this.#path(0), text, { mode: 0o600 });
  }

  /** Existing files, the oldest first. */
  paths(): string[] {
    return this.#numbers()
      .sort((a, b) => b - a)
      .map((number) => this.#path(number));
  }

  async #rotate(maxFiles: number): Promise<void> {
    for (const number of this.#numbers().sort((a, b) => b - a)) {
      if (number >= maxFiles) await rm(this.#path(number), { force: true });
      else await rename(this.#path(number), this.#path(number + 1));
    }
  }

  #numbers(): number[] {
    if (!existsSync(this.#folder)) return [];
    return readdirSync(this.#folder).flatMap((name) => {
      const found = /^flows\.log(?:\.(\d{1,4}))?$/.exec(name);
      return found ? [Number(found[1] ?? 0)] : [];
    });
  }

  #path(number: number): string {
    return join(this.#folder, number === 0 ? FILE : `${FILE}.${number}`);
  }
}
