// Generates agent/kernel/layout.gen.ts from bpf/maps and bpf/shared: `node tools/generate/layout.ts [--check]`.
//
// Compiles a temporary program that includes every map header, because BTF contains only types in use: maps
// use their structs, and one variable per enum keeps the enums.
import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type BtfType, readLayout } from "./btf.ts";
import { render } from "./render.ts";

const root = join(import.meta.dirname, "..", "..");
const output = join(root, "agent/kernel/layout.gen.ts");

/** What programs write for the agent: the entries of ring buffers, and of what the agent reads from a walk. */
const CARRIED = ["event", "outlived_socket"];

/** The values of pinned maps that only the programs read. The agent does not need their fields, but a new version cannot take over
 * a map of another size, so their sizes are part of the layout's hash. */
const PRIVATE = {
  "bpf/scratch.h": "scratch",
  "bpf/socket/memory.h": "socket_flows",
  "bpf/shared/connection.h": "place",
};

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
    const layout = readLayout(typesOf(scratchProgram(sources), folder), CARRIED);
    return render(layout, defines(sources), privateSizes(folder));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** The BTF of a program. */
function typesOf(program: string, folder: string): BtfType[] {
  const source = join(folder, "layout.bpf.c");
  const object = join(folder, "layout.bpf.o");
  writeFileSync(source, program);
  const multiarch = `-I/usr/include/${execFileSync("uname", ["-m"], { encoding: "utf8" }).trim()}-linux-gnu`;
  execFileSync("clang", ["-O2", "-g", "-target", "bpf", multiarch, "-c", source, "-o", object], { stdio: "inherit" });
  const dump = execFileSync("bpftool", ["btf", "dump", "file", object, "-j"], { encoding: "utf8", maxBuffer: 1 << 26 });
  return JSON.parse(dump).types;
}

function privateSizes(folder: string): [string, number][] {
  const program = Object.entries(PRIVATE).flatMap(([path, name]) => [
    `#include "${join(root, path)}"`,
    `struct ${name} keep_${name};`,
  ]);
  const types = typesOf(program.join("\n"), folder);
  return Object.values(PRIVATE).map((name) => {
    const size = types.find((type) => type.kind === "STRUCT" && type.name === name)?.size;
    if (size === undefined)
      throw new Error(`The packet path has no struct ${name}, which tools/generate/layout.ts names.`);
    return [name, size];
  });
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
