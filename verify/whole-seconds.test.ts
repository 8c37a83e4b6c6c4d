import { expect, test } from "vitest";
import { wholeSeconds } from "./whole-seconds.ts";

test("an option in seconds is a whole number above 0", () => {
  expect(wholeSeconds("300")).toBe(300);
  for (const text of ["", "0", "-1", "1.5", "5m", "abc"])
    expect(() => wholeSeconds(text), text).toThrow("It must be a number of seconds, for example 300.");
});
