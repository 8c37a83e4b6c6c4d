import { expect, test } from "vitest";
import { failureLine } from "./actors/actor.ts";
import { answerOf } from "./answer.ts";

test("nothing that a node says is a command for the terminal", () => {
  const [clear, bell, override] = ["\u001b[2J", "\u0007", "\u202e"];
  const said = JSON.stringify({
    [`a${clear}`]: [`pod shop/web${clear}`, { reason: `${bell}x\ny${override}` }],
    port: 80,
    none: null,
  });
  expect(answerOf(said)).toEqual({
    "a\ufffd[2J": ["pod shop/web\ufffd[2J", { reason: "\ufffdx\ny\ufffd" }],
    port: 80,
    none: null,
  });
  expect(failureLine(`error: ${clear}no`, "")).not.toContain("\u001b");
});

test("a message about what cannot be read has no command for the terminal either", () => {
  expect(() => answerOf("\u001bc{")).toThrow(/not valid JSON/);
  expect(() => answerOf("\u001bc{")).not.toThrow(/\p{C}/u);
});
