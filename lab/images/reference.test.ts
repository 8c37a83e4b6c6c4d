import { expect, test } from "vitest";
import { fullName, repositoryOf, shortName } from "./reference.ts";

test.each([
  ["shop:1", "docker.io/library/shop:1"],
  ["team/shop:v1.2_x-3", "docker.io/team/shop:v1.2_x-3"],
  ["docker.io/shop:1", "docker.io/library/shop:1"],
  ["index.docker.io/library/shop:1", "docker.io/library/shop:1"],
  ["localhost/shop:1", "localhost/shop:1"],
  ["localhost:5000/team/shop:1", "localhost:5000/team/shop:1"],
  ["[fd00::1]:5000/shop:1", "[fd00::1]:5000/shop:1"],
  ["ghcr.io/a/b/c__d:1", "ghcr.io/a/b/c__d:1"],
])("%s is %s", (text, full) => {
  expect(fullName(text)).toBe(full);
  expect(fullName(full)).toBe(full);
  expect(fullName(shortName(full))).toBe(full);
});

test.each([
  ...["", "shop", "shop:", ":1", "Shop:1", "localhost:5000/shop", "a//b:1", "/a:1", "a/:1", "../a:1", "a b:1"],
  ...["shop@sha256:0", "shop:1\n", "shop:-1", `shop:${"x".repeat(129)}`, `${"a/".repeat(300)}b:1`, "--all:1"],
])("%j is no name with a tag", (text) => {
  expect(fullName(text)).toBeUndefined();
});

test("a repository is a name without its tag", () => {
  expect(repositoryOf("localhost:5000/team/shop:1")).toBe("localhost:5000/team/shop");
});
