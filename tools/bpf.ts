// Compiles the dataplane: each bpf/NAME.bpf.c to dist/bpf/NAME.bpf.o, and to NAME_traced.bpf.o, which reports its
// steps (bpf/observe/trace.h).
import { execFileSync } from "node:child_process";
import { existsSync, globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { contentKey, contents } from "./cache.ts";
import { run } from "./command.ts";

const root = join(import.meta.dirname, "..");
const sources = join(root, "bpf");
export const objects = join(root, "dist", "bpf");
/** The inputs of the objects; one key for all, because nearly every object includes every header. */
const stamp = join(objects, ".key");

// Headers contain functions that not every object uses.
const WARNINGS = ["-Wall", "-Wextra", "-Werror", "-Wno-unused-function"];
const FLAGS = ["-target", "bpf", "-mcpu=v3", "-O2", "-g", ...WARNINGS];

interface Build {
  /** The object's name, without .bpf.o. */
  readonly name: string;
  readonly source: string;
  readonly flags: readonly string[];
}

/** All objects. */
export function builds(): Build[] {
  return globSync("*.bpf.c", { cwd: sources })
    .sort()
    .flatMap((source) => {
      const name = basename(source, ".bpf.c");
      return [
        { name, source, flags: [] },
        { name: `${name}_traced`, source, flags: ["-DTRACED"] },
      ];
    });
}

export function objectsAreFresh(): boolean {
  return (
    existsSync(stamp) &&
    readFileSync(stamp, "utf8") === key() &&
    builds().every(({ name }) => existsSync(objectOf(name)))
  );
}

/** @throws Error with the compiler's messages */
export async function compileObjects(): Promise<void> {
  mkdirSync(objects, { recursive: true });
  rmSync(stamp, { force: true });
  const wanted = builds();
  for (const old of globSync("*.bpf.o", { cwd: objects }))
    if (!wanted.some(({ name }) => old === basename(objectOf(name)))) rmSync(join(objects, old));
  await Promise.all(
    wanted.map(({ name, source, flags }) =>
      run("clang", [...FLAGS, ...flags, ...includes(), "-c", join("bpf", source), "-o", objectOf(name)], { cwd: root }),
    ),
  );
  writeFileSync(stamp, key());
}

const objectOf = (name: string) => join(objects, `${name}.bpf.o`);

/** <asm/types.h> is in the folder of the machine's processor, which clang does not search when it compiles for bpf. */
export function includes(): string[] {
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
