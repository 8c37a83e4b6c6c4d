// Finds the shared libraries that programs need to start: for this computer with its loader
// (ldd(1)), for another processor in the ELF headers, because its loader does not run here.
import { spawnSync } from "node:child_process";
import { existsSync, lstatSync, readlinkSync, realpathSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { type DebianPackage, packagesOfFolder, packagesOfThisComputer } from "./debian-packages.ts";
import { canonical, data, program, type Tree } from "./tree.ts";

/** The origin of programs: this computer, or a folder with the file system of another one. */
export interface Origin {
  /** @returns the file on this computer for a path in the origin, with links resolved */
  file(path: string): string;
  /**
   * @returns paths in the origin of all libraries that a program or library loads at start, and of the loader
   * @throws Error with the missing library
   */
  libraries(path: string): string[];
  /**
   * @returns the Debian packages of these files
   * @throws Error with a file that belongs to none
   */
  packages(paths: readonly string[]): DebianPackage[];
}

/**
 * The programs (from path in the image to path in the origin) with every library they load at start.
 * @param plugins libraries that are loaded by name at run time, with their dependencies
 * @throws Error with the program and the missing library
 */
export function withLibraries(
  programs: Record<string, string>,
  plugins: string[] = [],
  origin: Origin = thisComputer,
): Tree {
  const tree: Tree = {};
  // The loader itself must be executable.
  const add = (path: string) => {
    for (const library of origin.libraries(path)) tree[canonical(library)] = program(origin.file(library));
  };
  for (const [path, source] of Object.entries(programs)) {
    tree[canonical(path)] = program(origin.file(source));
    add(source);
  }
  for (const plugin of plugins) {
    tree[canonical(plugin)] = data(origin.file(plugin));
    add(plugin);
  }
  return tree;
}

export const thisComputer: Origin = {
  file: realpathSync,
  packages: packagesOfThisComputer,
  libraries(path) {
    const { stdout, error } = ask("ldd", path);
    if (error) throw new Error(`Cannot list the libraries of ${path} with ldd: ${error.message}`);
    // For a static program ldd fails, because it has none.
    return libraryPaths(path, stdout);
  },
};

/** The paths in ldd's output: `libc.so.6 => /lib/... (0x...)`, and the loader, which has no arrow. */
export function libraryPaths(file: string, answer: string): string[] {
  return answer.split("\n").flatMap((line) => {
    if (line.includes("not found"))
      throw new Error(`Cannot run ${file}: its library ${line.trim().split(" ")[0]} is not installed`);
    const path = /^\s*(?:\S+ => )?(\/\S+) \(0x/.exec(line)?.[1];
    return path ? [path] : [];
  });
}

/**
 * A file system in a folder.
 * @param triplet of its C library, e.g. `aarch64-linux-gnu`
 */
export function fileSystem(root: string, triplet: string): Origin {
  const file = (path: string) => {
    const found = find(root, path);
    if (!found) throw new Error(`Cannot find ${path} in ${root}.`);
    return join(root, found);
  };
  const library = (name: string, user: string): string => {
    const folders = [`/usr/lib/${triplet}`, "/usr/lib"];
    const path = folders.map((folder) => join(folder, name)).find((candidate) => find(root, candidate));
    if (!path) throw new Error(`Cannot run ${user}: its library ${name} is not in ${root}`);
    return path;
  };
  const needs = new Map<string, string[]>();
  const direct = (path: string): string[] => {
    const known = needs.get(path);
    if (known) return known;
    const { names, loader } = elfNeeds(file(path));
    const paths = [...names.map((name) => library(name, path)), ...(loader ? [loader] : [])];
    needs.set(path, paths);
    return paths;
  };
  return {
    file,
    packages: (paths) => packagesOfFolder(root, paths),
    libraries(path) {
      const found = new Set<string>();
      const follow = (from: string) => {
        for (const next of direct(from)) {
          if (found.has(next)) continue;
          found.add(next);
          follow(next);
        }
      };
      follow(path);
      return [...found];
    },
  };
}

/** Resolves a path inside a root. Links are relative to the root, and its /lib is /usr/lib or a separate folder. */
function find(root: string, path: string, depth = 0): string | undefined {
  const other = path.startsWith("/usr/") ? path.slice(4) : `/usr${path}`;
  for (const candidate of [path, other]) {
    const stat = lstatSync(join(root, candidate), { throwIfNoEntry: false });
    if (stat?.isSymbolicLink() && depth < 10)
      return find(root, resolve(dirname(candidate), readlinkSync(join(root, candidate))), depth + 1);
    if (stat && existsSync(join(root, candidate))) return candidate;
  }
  return undefined;
}

function elfNeeds(file: string): { names: string[]; loader: string | undefined } {
  const { stdout, error } = ask("llvm-readelf", "--needed-libs", "--program-headers", file);
  if (error) throw new Error(`Cannot list the libraries of ${file} with llvm-readelf: ${error.message}`);
  const [, names = ""] = /^NeededLibraries \[\n([^\]]*)\]/m.exec(stdout) ?? [];
  const loader = /\[Requesting program interpreter: (\S+)\]/.exec(stdout)?.[1];
  return { names: names.split("\n").flatMap((line) => line.trim() || []), loader };
}

function ask(program: string, ...words: string[]) {
  const env = { ...process.env, LC_ALL: "C" };
  return spawnSync(program, words, { encoding: "utf8", timeout: 30_000, env });
}
