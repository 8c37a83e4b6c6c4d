// A file is named by what is in it; these names say nothing.
import { basename } from "node:path";
import type { Finding, Sources } from "./source.ts";

const EMPTY = /^(utils?|utilities|helpers?|common|misc|managers?|stuff|shared|lib|new|legacy)\.(m?ts|js|c|h|go)$/i;

export function checkNames(sources: Sources): Finding[] {
  return [...sources.keys()]
    .filter((path) => EMPTY.test(basename(path)))
    .map((path) => ({ path, message: "has a name that says nothing: name it by what it does" }));
}
