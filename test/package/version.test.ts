import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";

const read = (path: string) => readFileSync(join(import.meta.dirname, "..", "..", path), "utf8");
const { version } = JSON.parse(read("package.json")) as { version: string };

test("the package's version is a valid image tag", () => {
  expect(version).toMatch(/^\d+\.\d+\.\d+(-[a-z0-9.]+)?$/);
});

test("the newest entry of the changelog is this version's", () => {
  expect(/^## (\S+)/m.exec(read("CHANGELOG.md"))?.[1]).toBe(version);
});

test("this version satisfies the version range of the TypeScript example", () => {
  const { dependencies } = JSON.parse(read("examples/typescript/package.json"));
  const [major, minor] = version.split(".");
  // Before 1.0 a minor version may break.
  expect(dependencies["ebpf-dataplane"]).toMatch(major === "0" ? `^0.${minor}.` : `^${major}.`);
});
