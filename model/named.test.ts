import { expect, test } from "vitest";
import { named, namedByContent } from "./named.ts";

test("a short content is its own name", () => {
  expect(namedByContent("pods in namespace shop", "salt")).toEqual(named("pods in namespace shop", "salt"));
});

test("the name of a long content is short, begins like it, and is of no other content", () => {
  const [content, other] = [`pods app in {${"x".repeat(1_000_000)}}`, `pods app in {${"x".repeat(999_999)}y}`];
  const { name } = namedByContent(content);
  expect(name).toMatch(/^pods app in \{x{499} … sha256:[0-9a-f]{64}$/);
  expect(namedByContent(other).name).not.toBe(name);
  expect(namedByContent(content)).toEqual(namedByContent(content));
});
