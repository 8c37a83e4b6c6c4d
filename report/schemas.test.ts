import { readFileSync } from "node:fs";
import { basename } from "node:path";
import { expect, test } from "vitest";
import { publishedSchemas } from "./schemas.ts";

test.each(publishedSchemas().map(({ path, content }) => ({ name: basename(path), path, content })))(
  "$name is what the code says (otherwise: node report/schemas.ts)",
  ({ path, content }) => expect(JSON.parse(readFileSync(path, "utf8"))).toEqual(JSON.parse(content)),
);
