import { expect, test } from "vitest";
import { checkTests } from "./tests.ts";

const sources = new Map(
  [
    "agent/network/routes.ts",
    "agent/network/routes.test.ts",
    "agent/network/routes.conflicts.system.test.ts",
    "agent/network/network.test.ts",
    "agent/network/parsing.test.ts",
    "agent/network/other.test.ts",
    "agent/network/other.system.test.ts",
    "agent/network.test.ts",
    "tools/bootstrap",
    "tools/bootstrap.test.ts",
    "test/datapath/attacks.system.test.ts",
  ].map((path) => [path, ""]),
);

test("a test is named after a file, its topic, or a folder; another test is no such file", () => {
  expect(checkTests(sources).map(({ path }) => path)).toEqual([
    "agent/network/parsing.test.ts",
    "agent/network/other.test.ts",
    "agent/network/other.system.test.ts",
  ]);
});
