// A file is named after its content, in one style: kebab-case for TypeScript and its data, snake_case for C.
import { basename } from "node:path";
import type { Finding, Sources } from "./source.ts";

const EMPTY = /^(utils?|utilities|helpers?|common|misc|managers?|stuff|shared|lib|new|legacy)\.(m?ts|js|c|h|go)$/i;
const SNAKE = /_.*\.(m?tsx?|ya?ml)$/;

export function checkNames(sources: Sources): Finding[] {
  return [...sources.keys()].flatMap((path) => {
    if (EMPTY.test(basename(path))) return [{ path, message: "has a meaningless name: name it after what it does" }];
    if (SNAKE.test(basename(path))) return [{ path, message: "has an underscore in its name: use kebab-case" }];
    return [];
  });
}
