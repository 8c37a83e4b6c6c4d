import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { publishedSchema } from "./schema.ts";

test("preview.schema.json matches the code (to update: node preview/schema.ts)", () => {
  const { path, content } = publishedSchema();
  expect(JSON.parse(readFileSync(path, "utf8"))).toEqual(JSON.parse(content));
});
