// How far the build of a Go program is: told by the packages that the compiler has begun with, each weighted by the size of its sources.
import { statSync } from "node:fs";
import { join } from "node:path";

/** What linking takes, in terms of the compiled sources. */
const LINKING = 0.06;

export class GoProgress {
  readonly #sizes: ReadonlyMap<string, number>;
  readonly #all: number;
  /** The last ones are being compiled. */
  readonly #running: string[] = [];
  readonly #atOnce: number;
  #done = 0;

  /** @param sizes bytes of sources by package, of those that have to be compiled; @param atOnce packages that are compiled at the same time */
  constructor(sizes: ReadonlyMap<string, number>, atOnce: number) {
    this.#sizes = sizes;
    this.#atOnce = atOnce;
    this.#all = [...sizes.values()].reduce((sum, size) => sum + size, 0);
  }

  begun(path: string): void {
    if (!this.#sizes.has(path)) return;
    this.#running.push(path);
    if (this.#running.length > this.#atOnce) this.#done += this.#sizes.get(this.#running.shift() ?? "") ?? 0;
  }

  /** From 0 to 1, of the whole build. */
  get share(): number {
    return this.#all === 0 ? 0 : (this.#done / this.#all) * (1 - LINKING);
  }
}

/** Of `go list`: the import path, why the package has to be compiled, its folder and its files, by tabs. */
export const LIST_FORMAT = '{{.ImportPath}}\t{{.StaleReason}}\t{{.Dir}}\t{{join .GoFiles " "}} {{join .CgoFiles " "}}';

/** Reads what `go list` said. @returns the packages that have to be compiled, with the size of their sources */
export function sizesOf(listed: string, sizeOf = (file: string) => statSync(file).size): Map<string, number> {
  const packages = listed.split("\n").map((line) => line.split("\t"));
  return new Map(
    packages.flatMap(([path = "", reason, folder = "", files = ""]) =>
      reason
        ? [[path, files.split(" ").reduce((sum, file) => sum + (file ? sizeOf(join(folder, file)) : 0), 0)] as const]
        : [],
    ),
  );
}
