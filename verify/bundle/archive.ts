import { createWriteStream, linkSync, mkdirSync, openSync, rmSync } from "node:fs";
import { dirname } from "node:path";
import { pipeline } from "node:stream/promises";
import { createGzip } from "node:zlib";
import { pack } from "tar-stream";

/** A .tar.gz that is written as its files come, so that none of a large cluster stays in memory. */
export class Archive {
  readonly #pack = pack();
  readonly #written: Promise<void>;
  readonly #folder: string;
  readonly #path: string;

  /** @param folder in the archive, of all its files. @param path of the archive, which is there when it is complete */
  constructor(path: string, folder: string) {
    mkdirSync(dirname(path), { recursive: true });
    this.#folder = folder;
    this.#path = path;
    this.#written = pipeline(
      this.#pack,
      createGzip(),
      createWriteStream("", { fd: openSync(this.#draft, "w", 0o600) }),
    );
    this.#written.catch(() => {}); // awaited by `add` and `close`
  }

  async add(name: string, text: string): Promise<void> {
    const header = { name: `${this.#folder}/${name}`, mode: 0o644, mtime: new Date() };
    const added = new Promise<void>((resolve, reject) =>
      this.#pack.entry(header, text, (error) => (error ? reject(error) : resolve())),
    );
    await Promise.race([added, this.#written]);
  }

  async close(): Promise<void> {
    this.#pack.finalize();
    await this.#written;
    linkSync(this.#draft, this.#path); // never replaces a file
    rmSync(this.#draft);
  }

  /** Removes what was written so far. */
  abandon(): void {
    this.#pack.destroy();
    rmSync(this.#draft, { force: true });
  }

  get #draft(): string {
    return `${this.#path}.part`;
  }
}
