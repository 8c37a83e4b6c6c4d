import { expect, test } from "vitest";
import { findingOf } from "./audit.ts";

const vulnerable = (severity: string) => ({
  vulnerabilities: {
    six: { name: "six", severity, range: "<6.1", via: [{ title: "reads too much" }] },
    user: { name: "user", severity: "low", range: "*", via: ["six"] },
  },
});

test.each([
  ["no vulnerability", { vulnerabilities: {} }, "passed", []],
  ["a moderate one", vulnerable("moderate"), "passed", ["moderate: six <6.1: reads too much", "low: user *: by six"]],
  ["a severe one", vulnerable("high"), "failed", ["high: six <6.1: reads too much", "low: user *: by six"]],
  [
    "a registry that answers 405",
    { message: "405 Method Not Allowed", error: { summary: "", detail: "" } },
    "skipped",
    ["the registry does not report known vulnerabilities: 405 Method Not Allowed"],
  ],
  [
    "no list",
    { error: { code: "ENOLOCK" } },
    "skipped",
    ["the registry does not report known vulnerabilities: ENOLOCK"],
  ],
])("%s", (_, answer, result, lines) => expect(findingOf(JSON.stringify(answer))).toEqual({ result, lines }));

test("a missing report proves nothing", () => {
  expect(findingOf("")).toEqual({ result: "skipped", lines: ["npm audit gave no report: no output"] });
  expect(findingOf("<html>").result).toBe("skipped");
});
