// The project's files for the checks.
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join, posix } from "node:path";

/** From the path relative to the root, with slashes, to the content. */
export type Sources = Map<string, string>;

/** A violated rule: where, and what to do. */
export interface Finding {
  path: string;
  message: string;
}

/** Every text file that is tracked or not ignored. */
export function projectSources(root: string): Sources {
  const names = execFileSync("git", ["ls-files", "--cached", "--others", "--exclude-standard", "-z"], {
    cwd: root,
    encoding: "utf8",
  });
  const paths = [...new Set(names.split("\0"))].filter((path) => path !== "" && existsSync(join(root, path)));
  const contents = paths.map((path) => [path, readFileSync(join(root, path), "utf8")] as const);
  return new Map(contents.filter(([, content]) => !content.includes("\0")));
}

export interface Import {
  /** Path of a file of this project, or the name of a package. */
  target: string;
  /** Types only: removed at run time. */
  typeOnly: boolean;
}

const STATEMENT = /^(?:import|export)\s+(type\s)?(?:[^"';]*?\sfrom\s+)?["']([^"']+)["']/gm;

export function importsOf(path: string, sources: Sources): Import[] {
  const content = sources.get(path) ?? "";
  return [...content.matchAll(STATEMENT)].map(([, type, name]) => importOf(path, name, type !== undefined, sources));
}

/** What a file loads while it runs: `await import("…")`. */
export function laterImportsOf(path: string, sources: Sources): Import[] {
  const content = sources.get(path) ?? "";
  return [...content.matchAll(/\bimport\("([^"]+)"\)/g)].map(([, name]) => importOf(path, name, false, sources));
}

const importOf = (path: string, name: string | undefined, typeOnly: boolean, sources: Sources): Import => ({
  target: name?.startsWith(".") ? resolve(path, name, sources) : (name ?? ""),
  typeOnly,
});

/** Components and stacks omit the extension, as in CommonJS. */
function resolve(from: string, name: string, sources: Sources): string {
  const path = posix.join(posix.dirname(from), name);
  return [path, `${path}.ts`, `${path}/index.ts`].find((candidate) => sources.has(candidate)) ?? path;
}

export const isTypeScript = (path: string): boolean => /\.(m?ts|tsx)$/.test(path);
/** Tests, their shared code, and measurements may import from all parts. */
export const isTest = (path: string): boolean =>
  /(\.(test|fixture|cases)|(^|\/)benchmark)\.tsx?$/.test(path) || path.startsWith("test/");
