import { expect, test } from "vitest";
import { inOneByte } from "./one-byte.ts";

test("a program has one byte for each character: others go from comments, and are refused elsewhere", () => {
  const program = (comment: string) =>
    `  // as µ ${comment}\n  /** a ${comment} b\n   * ${comment} */\nrun("\\u2026");\n`;
  expect(inOneByte(program("…"), "agent.js")).toBe(program("?"));
  expect(inOneByte("/µs/;", "agent.js"), "Latin-1").toBe("/µs/;");
  expect(() => inOneByte("first;\n  /μs/;", "agent.js")).toThrow("agent.js:2 has a character beyond Latin-1");
});
