// The shared libraries that programs need to start, found the way the loader finds them: by asking it (ldd(1)).
import { spawnSync } from "node:child_process";
import { realpathSync } from "node:fs";
import { canonical, data, program, type Tree } from "./tree.ts";

/**
 * The programs (path in the image to path here) with every library they load at start.
 * @param plugins libraries that are opened by name at run time, with what these need
 * @throws Error naming the program and the library that is missing
 */
export function withLibraries(programs: Record<string, string>, plugins: string[] = []): Tree {
  const tree: Tree = {};
  for (const [path, source] of Object.entries(programs)) {
    tree[canonical(path)] = program(realpathSync(source));
    Object.assign(tree, libraries(source));
  }
  for (const plugin of plugins) {
    tree[canonical(plugin)] = data(realpathSync(plugin));
    Object.assign(tree, libraries(plugin));
  }
  return tree;
}

function libraries(file: string): Tree {
  const { stdout, error } = spawnSync("ldd", [file], {
    encoding: "utf8",
    timeout: 30_000,
    env: { ...process.env, LC_ALL: "C" },
  });
  if (error) throw new Error(`Cannot list the libraries of ${file} with ldd: ${error.message}`);
  // A static program has none: ldd says so and fails. The loader itself must be executable.
  return Object.fromEntries(libraryPaths(file, stdout).map((path) => [canonical(path), program(realpathSync(path))]));
}

/** The paths in ldd's answer: `libc.so.6 => /lib/... (0x...)`, and the loader, which has no arrow. */
export function libraryPaths(file: string, answer: string): string[] {
  return answer.split("\n").flatMap((line) => {
    if (line.includes("not found"))
      throw new Error(`Cannot run ${file}: its library ${line.trim().split(" ")[0]} is not installed`);
    const path = /^\s*(?:\S+ => )?(\/\S+) \(0x/.exec(line)?.[1];
    return path ? [path] : [];
  });
}
