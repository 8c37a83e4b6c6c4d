// Builds a Go module of this repository into the cache, once for each combination of sources, options and compiler.
import { execFileSync } from "node:child_process";
import { existsSync, globSync, renameSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { cacheFolder, contentKey, contents, keepNewest, publish, removeAbandoned } from "./cache.ts";
import { claim, claimed } from "./claims.ts";
import { type CommandOptions, run } from "./command.ts";
import { GoProgress, LIST_FORMAT, sizesOf } from "./go-progress.ts";
import { released } from "./releases.ts";

export interface GoBinary {
  /** Name of the binary; the cache contains `bin/<name>-<key>` and the link `bin/<name>` to the newest. */
  name: string;
  /** Folder of the module, with its go.mod. */
  module: string;
  /** Import path of the program, of a module that it requires; default: the module itself. */
  package?: string;
  /** Values of string variables to set when linking, by import path and name. */
  variables?: Record<string, string>;
  /** Target processor, in Go's notation; default: this computer's. */
  processor?: string;
  /** A static binary does not use the C library (nor its name resolution, which Go then does itself). */
  static: boolean;
}

/** The path of the binary, which may not be built yet. */
export function binaryPath(binary: GoBinary): string {
  const sources = contents(
    binary.module,
    (path) => /(^|\/)(go\.mod|go\.sum|[^/]+\.go)$/.test(path) && !path.endsWith("_test.go"),
  );
  const key = contentKey({ ...sources, "//options": JSON.stringify(options(binary)), "//compiler": compiler() });
  return join(cacheFolder("bin"), `${binary.name}-${key}`);
}

/** The stable name, for callers that only run it. */
export const binaryLink = (name: string): string => join(cacheFolder("bin"), name);

/**
 * Builds it if it is missing.
 * @param done hears which share of the work is done
 * @returns true if it existed
 */
export async function buildGoBinary(binary: GoBinary, done?: (share: number) => void): Promise<boolean> {
  const path = binaryPath(binary);
  const fresh = existsSync(path);
  if (!fresh) {
    const draft = `${path}.${process.pid}`;
    const { flags, env } = options(binary);
    const target = binary.package ?? ".";
    const inModule = { cwd: binary.module, env, timeoutSeconds: 3600 };
    const compiling = done && (await progressOf([...flags, target], inModule));
    await run("go", ["build", ...(compiling ? ["-v"] : []), ...flags, "-o", draft, target], {
      ...inModule,
      ...(compiling && {
        onErrorLine: (line) => {
          compiling.begun(line);
          done(compiling.share);
        },
      }),
    });
    renameSync(draft, path);
  }
  publish(binaryLink(binary.name), path);
  claim(`bin-${binary.name}`, [path]);
  keepNewest(globSync(`${binaryLink(binary.name)}-????????????`), 1, [...claimed(), ...released()]);
  removeAbandoned(globSync(`${binaryLink(binary.name)}-????????????.[0-9]*`));
  return fresh;
}

async function progressOf(words: string[], options: CommandOptions): Promise<GoProgress> {
  const listed = await run("go", ["list", "-deps", "-f", LIST_FORMAT, ...words], options);
  return new GoProgress(sizesOf(listed), availableParallelism());
}

function options(binary: GoBinary): { flags: string[]; env: Record<string, string> } {
  const variables = Object.entries(binary.variables ?? {}).map(([name, value]) => `-X ${name}=${value}`);
  return {
    // No paths and no commit in the binary, so that the same sources give the same bytes. What debuggers need is not linked (-s -w), so it
    // is not compiled either.
    flags: [
      ...["-trimpath", "-buildvcs=false", "-gcflags", "all=-dwarf=false"],
      ...["-ldflags", ["-s", "-w", ...variables].join(" ")],
    ],
    env: {
      CGO_ENABLED: binary.static ? "0" : "1",
      GOFLAGS: "-mod=readonly",
      ...(binary.processor && { GOARCH: binary.processor }),
    },
  };
}

let compilerVersion: string | undefined;

/** `go version go1.26.8 linux/amd64`: run in an empty folder, because a go.mod can select another toolchain. */
function compiler(): string {
  compilerVersion ??= execFileSync("go", ["version"], { encoding: "utf8" }).trim();
  return compilerVersion;
}
