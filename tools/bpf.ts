// Compiles the dataplane: each bpf/NAME.bpf.c to dist/bpf/NAME.bpf.o.
import { execFileSync } from "node:child_process";
import { existsSync, globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { contentKey, contents } from "./cache.ts";
import { run } from "./command.ts";

const root = join(import.meta.dirname, "..");
const sources = join(root, "bpf");
export const objects = join(root, "dist", "bpf");
/** What the objects were made from; one key for all, since nearly every header is part of every object. */
const stamp = join(objects, ".key");

const FLAGS = ["-target", "bpf", "-mcpu=v3", "-O2", "-g", "-Wall", "-Wextra", "-Werror"];

export const programs = (): string[] => globSync("*.bpf.c", { cwd: sources }).sort();

export function objectsAreFresh(): boolean {
  return (
    existsSync(stamp) && readFileSync(stamp, "utf8") === key() && programs().every((name) => existsSync(objectOf(name)))
  );
}

/** @throws Error with the compiler's messages */
export async function compileObjects(): Promise<void> {
  mkdirSync(objects, { recursive: true });
  rmSync(stamp, { force: true });
  const wanted = programs();
  for (const old of globSync("*.bpf.o", { cwd: objects }))
    if (!wanted.includes(old.replace(/o$/, "c"))) rmSync(join(objects, old));
  await Promise.all(
    wanted.map((name) =>
      run("clang", [...FLAGS, ...includes(), "-c", join("bpf", name), "-o", objectOf(name)], { cwd: root }),
    ),
  );
  writeFileSync(stamp, key());
}

const objectOf = (source: string) => join(objects, basename(source).replace(/\.c$/, ".o"));

/** <asm/types.h> lives in the folder of the machine's processor, where clang does not look when it compiles for bpf. */
function includes(): string[] {
  const [folder] = globSync("/usr/include/*-linux-gnu/asm").map((path) => join(path, ".."));
  return folder ? ["-idirafter", folder] : [];
}

function key(): string {
  const compiler = execFileSync("clang", ["--version"], { encoding: "utf8" });
  return contentKey({
    ...contents(sources, (path) => /\.[ch]$/.test(path)),
    "//flags": FLAGS.join(" "),
    "//compiler": compiler,
  });
}
