// Generates agent/kernel/layout.gen.ts from bpf/maps and bpf/shared: `node tools/generate/layout.ts [--check]`.
//
// Compiles a temporary program that includes every map header, because BTF contains only types in use: maps
// use their structs, and one variable per enum keeps the enums.
import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readLayout } from "./btf.ts";
import { render } from "./render.ts";

const root = join(import.meta.dirname, "..", "..");
const output = join(root, "agent/kernel/layout.gen.ts");

/** The entries of ring buffers. */
const CARRIED = ["event"];

function headers(folder: string): string[] {
  return readdirSync(join(root, folder))
    .filter((name) => name.endsWith(".h"))
    .sort()
    .map((name) => join(root, folder, name));
}

function scratchProgram(sources: string[]): string {
  const enums = sources.flatMap((source) =>
    [...source.matchAll(/^enum (\w+) \{/gm)].map((match) => match[1] as string),
  );
  return [
    ...headers("bpf/shared").map((path) => `#include "${path}"`),
    ...headers("bpf/maps").map((path) => `#include "${path}"`),
    ...enums.map((name) => `enum ${name} keep_${name};`),
    ...CARRIED.map((name) => `struct ${name} keep_${name};`),
  ].join("\n");
}

function defines(sources: string[]): [string, number][] {
  const pattern = /^#define ([A-Z]\w*) (0x[0-9a-f]+|\d+)u?\s*$/gim;
  return sources.flatMap((source) =>
    [...source.matchAll(pattern)].map((match): [string, number] => [match[1] as string, Number(match[2])]),
  );
}

function generate(): string {
  const folder = mkdtempSync(join(tmpdir(), "layout-"));
  try {
    const sources = headers("bpf/shared").map((path) => readFileSync(path, "utf8"));
    const source = join(folder, "layout.bpf.c");
    const object = join(folder, "layout.bpf.o");
    writeFileSync(source, scratchProgram(sources));
    const multiarch = `-I/usr/include/${execFileSync("uname", ["-m"], { encoding: "utf8" }).trim()}-linux-gnu`;
    execFileSync("clang", ["-O2", "-g", "-target", "bpf", multiarch, "-c", source, "-o", object], { stdio: "inherit" });
    const dump = execFileSync("bpftool", ["btf", "dump", "file", object, "-j"], {
      encoding: "utf8",
      maxBuffer: 1 << 26,
    });
    return render(readLayout(JSON.parse(dump).types, CARRIED), defines(sources));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const text = generate();
if (process.argv.includes("--check")) {
  if (readFileSync(output, "utf8") !== text) {
    console.error(
      "agent/kernel/layout.gen.ts does not match bpf/maps and bpf/shared: run `make generate` and commit the result.",
    );
    process.exit(1);
  }
} else {
  writeFileSync(output, text);
}
