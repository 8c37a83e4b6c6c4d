import { expect, test } from "vitest";
import { fewOfEach } from "./few-of-each.ts";
import type { Problem } from "./problem.ts";

const problem = (name: string, index: number, message = "is wrong"): Problem => ({
  ...{ kind: "NetworkPolicy", namespace: "shop", name },
  ...{ path: `spec.ingress[${index}]`, message },
});
const many = (name: string, count: number) => Array.from({ length: count }, (_, index) => problem(name, index));

test("of each object ten faults are listed, and the others are counted", () => {
  const all = [...many("huge", 100_000), ...many("small", 10), problem("huge", 7)];
  const found = fewOfEach(all);
  expect(found.filter(({ name }) => name === "small")).toEqual(many("small", 10));
  const huge = found.filter(({ name }) => name === "huge");
  expect(huge.slice(0, 10)).toEqual(many("huge", 10));
  expect(huge.slice(10)).toEqual([
    problem("huge", 10, "and 99991 more faults of this object, from this field on. Next: mend those that are listed."),
  ]);
});

test("of a Node, whose problems are its agent's, fifty are listed", () => {
  const ofNode = many("node", 60).map(({ namespace: _, ...rest }) => ({ ...rest, kind: "Node" }));
  const found = fewOfEach(ofNode);
  expect(found.slice(0, 50)).toEqual(ofNode.slice(0, 50));
  expect(found.slice(50).map(({ message }) => message)).toEqual([expect.stringMatching(/^and 10 more/)]);
});

test("what an owner wrote into a message or a path is cut", () => {
  const [cut] = fewOfEach([
    { ...problem("long", 0, `unknown keys: ${"x".repeat(1_000_000)}`), path: "y".repeat(1_000_000) },
  ]);
  expect([cut?.message.length, cut?.path.length]).toEqual([1_024, 256]);
  expect(cut?.message).toMatch(/^unknown keys: x+…$/);
});

test("few short ones stay as they are", () => {
  const few = many("small", 10);
  expect(fewOfEach(few)).toBe(few);
});
