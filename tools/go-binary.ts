// Builds a Go module of this repository into the cache, once per content of its sources, options and compiler.
import { execFileSync } from "node:child_process";
import { existsSync, globSync, renameSync } from "node:fs";
import { join } from "node:path";
import { cacheFolder, contentKey, contents, keepNewest, publish, removeAbandoned } from "./cache.ts";
import { run } from "./command.ts";
import { released } from "./releases.ts";

export interface GoBinary {
  /** Name of the binary; the cache holds `bin/<name>-<key>` and the link `bin/<name>` to the newest. */
  name: string;
  /** Folder of the module, with its go.mod. */
  module: string;
  /** Values of string variables, set when linking: import path and name to value. */
  variables?: Record<string, string>;
  /** Processor it is for, in Go's words; this computer's where nothing is said. */
  processor?: string;
  /** A static binary has no use for the C library (and loses its name resolution, which Go then does itself). */
  static: boolean;
}

/** Where the binary is, or will be once it is built. */
export function binaryPath(binary: GoBinary): string {
  const sources = contents(
    binary.module,
    (path) => /(^|\/)(go\.mod|go\.sum|[^/]+\.go)$/.test(path) && !path.endsWith("_test.go"),
  );
  const key = contentKey({ ...sources, "//options": JSON.stringify(options(binary)), "//compiler": compiler() });
  return join(cacheFolder("bin"), `${binary.name}-${key}`);
}

/** The stable name, for those who only run it. */
export const binaryLink = (name: string): string => join(cacheFolder("bin"), name);

/** Builds it if it is missing. @returns true when it was there */
export async function buildGoBinary(binary: GoBinary): Promise<boolean> {
  const path = binaryPath(binary);
  const fresh = existsSync(path);
  if (!fresh) {
    const draft = `${path}.${process.pid}`;
    const { flags, env } = options(binary);
    await run("go", ["build", ...flags, "-o", draft, "."], { cwd: binary.module, env, timeoutSeconds: 3600 });
    renameSync(draft, path);
  }
  publish(binaryLink(binary.name), path);
  keepNewest(globSync(`${binaryLink(binary.name)}-????????????`), 1, [path, ...released()]);
  removeAbandoned(globSync(`${binaryLink(binary.name)}-????????????.[0-9]*`));
  return fresh;
}

function options(binary: GoBinary): { flags: string[]; env: Record<string, string> } {
  const variables = Object.entries(binary.variables ?? {}).map(([name, value]) => `-X ${name}=${value}`);
  return {
    // No paths and no commit in the binary: the same sources give the same bytes.
    flags: ["-trimpath", "-buildvcs=false", "-ldflags", ["-s", "-w", ...variables].join(" ")],
    env: {
      CGO_ENABLED: binary.static ? "0" : "1",
      GOFLAGS: "-mod=readonly",
      ...(binary.processor && { GOARCH: binary.processor }),
    },
  };
}

let compilerVersion: string | undefined;

/** `go version go1.26.8 linux/amd64`: asked in an empty place, since a go.mod may choose another toolchain. */
function compiler(): string {
  compilerVersion ??= execFileSync("go", ["version"], { encoding: "utf8" }).trim();
  return compilerVersion;
}
