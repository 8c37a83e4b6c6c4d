import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { mutants } from "./list.ts";

const sources = join(import.meta.dirname, "..", "..", "bpf");

test.each(mutants)("the mutant's text occurs once: $say", ({ file, text, instead }) => {
  expect(readFileSync(join(sources, file), "utf8").split(text).length - 1).toBe(1);
  expect(instead).not.toBe(text);
});
