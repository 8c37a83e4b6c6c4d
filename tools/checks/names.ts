// A file is named after what is in it, in one style: kebab-case for TypeScript and the data beside it, snake_case for C.
import { basename } from "node:path";
import type { Finding, Sources } from "./source.ts";

const EMPTY = /^(utils?|utilities|helpers?|common|misc|managers?|stuff|shared|lib|new|legacy)\.(m?ts|js|c|h|go)$/i;
const SNAKE = /_.*\.(m?tsx?|ya?ml)$/;

export function checkNames(sources: Sources): Finding[] {
  return [...sources.keys()].flatMap((path) => {
    if (EMPTY.test(basename(path)))
      return [{ path, message: "has a name that says nothing: name it after what it does" }];
    if (SNAKE.test(basename(path))) return [{ path, message: "has an underscore in its name: write it in kebab-case" }];
    return [];
  });
}
