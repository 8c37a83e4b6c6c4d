import { expect, test } from "vitest";
import { FormatError } from "../expectation/place.ts";
import { readFilter } from "./filter.ts";

test.each([
  [{ verdict: "droped" }, 'verdict is "droped"; allowed: allowed, denied, refused'],
  [{ port: 65_536 }, "port is 65536; allowed: a number from 0 to 65535"],
  [{ port: Number.NaN }, "port is NaN; allowed: a number from 0 to 65535"],
])("%o selects no flow", (filter, sentence) => {
  expect(() => readFilter(filter)).toThrow(new FormatError(...(sentence.split("; allowed: ") as [string, string])));
});
