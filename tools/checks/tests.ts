// A test stands beside what it tests and begins with its name: `routes.test.ts` or `routes.conflicts.test.ts` beside `routes.ts`.
// A test of a whole folder has the folder's name.
import { basename, dirname, posix } from "node:path";
import type { Finding, Sources } from "./source.ts";

const TEST = /\.test\.tsx?$/;
/** Whole suites, each named after what it does to the project. */
const SUITES = "test/";

export function checkTests(sources: Sources): Finding[] {
  const subjects = new Set([...sources.keys()].filter((path) => !TEST.test(path)).flatMap(subjectsOf));
  return [...sources.keys()]
    .filter((path) => TEST.test(path) && !path.startsWith(SUITES))
    .filter((path) => stemOf(path) !== basename(dirname(path)))
    .filter((path) => !subjects.has(posix.join(dirname(path), stemOf(path))))
    .map((path) => ({
      path,
      message: `is not beside what it tests: begin its name with that of a file or folder beside it, or of its own folder`,
    }));
}

/** The file by its stem, and every folder that contains it. */
function subjectsOf(path: string): string[] {
  const folders = path.split("/").slice(0, -1);
  return [posix.join(dirname(path), stemOf(path)), ...folders.map((_, depth) => folders.slice(0, depth + 1).join("/"))];
}

/** "routes" of "agent/network/routes.conflicts.test.ts" */
function stemOf(path: string): string {
  return basename(path).split(".")[0] ?? "";
}
