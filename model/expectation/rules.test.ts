import { expect, test } from "vitest";
import { type Counted, contradictionsIn } from "./rules.ts";

const fields = (changed: Partial<Counted>) =>
  contradictionsIn({ verdict: "allowed", count: 3, ...changed }).map(({ field }) => field);

test("numbers that can be met are no contradiction", () => {
  expect(fields({})).toEqual([]);
  expect(fields({ spread: 3 })).toEqual([]);
  expect(fields({ spread: 2, spreadAtMost: 2 })).toEqual([]);
});

test.each<[Partial<Counted>, string[]]>([
  [{ spread: 4 }, ["spread"]],
  [{ spreadAtMost: 3 }, ["spreadAtMost"]],
  [{ spread: 2, spreadAtMost: 1 }, ["spreadAtMost"]],
  [{ spread: 1, verdict: "dropped" }, ["spread"]],
  [{ spreadAtMost: 1, verdict: "rejected" }, ["spreadAtMost"]],
])("%j is refused at %j", (changed, refused) => expect(fields(changed)).toEqual(refused));
