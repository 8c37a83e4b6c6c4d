import { existsSync, readFileSync, renameSync } from "node:fs";
import { join } from "node:path";
import { cacheFolder, contentKey } from "../../../tools/cache.ts";
import { run } from "../../../tools/command.ts";

/** Compiles NAME.c of this folder for the machines of a test. @returns its path */
export async function compiled(name: string): Promise<string> {
  const source = join(import.meta.dirname, `${name}.c`);
  const path = join(
    cacheFolder("bin"),
    `${name}-${contentKey({ source: readFileSync(source), processor: process.arch })}`,
  );
  if (existsSync(path)) return path;
  const draft = `${path}.${process.pid}`;
  await run("clang", ["-O2", "-Wall", "-Wextra", "-Werror", "-static", "-s", "-o", draft, source]);
  renameSync(draft, path);
  return path;
}
