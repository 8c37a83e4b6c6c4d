// A file is named after its content, in one style: kebab-case for TypeScript and its data, snake_case for C. A decision has a number of its own.
import { basename } from "node:path";
import type { Finding, Sources } from "./source.ts";

const EMPTY = /^(utils?|utilities|helpers?|common|misc|managers?|stuff|shared|lib|new|legacy)\.(m?ts|js|c|h|go)$/i;
const SNAKE = /_.*\.(m?tsx?|ya?ml)$/;

const DECISION = /^docs\/decisions\/(\d+)-/;

export function checkNames(sources: Sources): Finding[] {
  const paths = [...sources.keys()];
  const numbers = new Map<string, string>();
  return paths.flatMap((path) => {
    const number = DECISION.exec(path)?.[1] ?? path;
    const other = numbers.get(number);
    numbers.set(number, path);
    if (other) return [{ path, message: `has the number of ${basename(other)}: take the next one` }];
    if (EMPTY.test(basename(path))) return [{ path, message: "has a meaningless name: name it after what it does" }];
    if (SNAKE.test(basename(path))) return [{ path, message: "has an underscore in its name: use kebab-case" }];
    return [];
  });
}
