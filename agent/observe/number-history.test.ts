import { expect, test } from "vitest";
import { NO_NAMES } from "../compile/desired.ts";
import { NumberHistory } from "./number-history.ts";

const rules = (...entries: [number, string][]) => ({ ...NO_NAMES, rules: new Map(entries) });

test("an event that is read after its rule is gone names that rule", () => {
  const history = new NumberHistory();
  history.add(rules([1, "rule 1 of a"]));
  history.add(rules([2, "rule 1 of b"]));
  expect(history.names.rules.get(1)).toBe("rule 1 of a");
  expect(history.names.rules.get(2)).toBe("rule 1 of b");
});

test("a number that gets another name has both, not a wrong one", () => {
  const history = new NumberHistory();
  history.add(rules([1, "rule 1 of a"]));
  history.add(rules([1, "rule 1 of b"]));
  history.add(rules([1, "rule 1 of b"]));
  expect(history.names.rules.get(1)).toBe("rule 1 of a or rule 1 of b");
});

test("names that are long gone are forgotten, those in force never", () => {
  const history = new NumberHistory(2);
  history.add(rules([1, "a"], [2, "b"], [3, "c"]));
  history.add(rules([4, "d"], [1, "a"]));
  expect([...history.names.rules.keys()]).toEqual([2, 3, 4, 1]);
  history.add(rules([5, "e"], [4, "d"], [1, "a"]));
  history.add(rules([5, "e"]));
  expect([...history.names.rules.keys()]).toEqual([4, 1, 5]);
});
