import { expect, test } from "vitest";
import type { WriteProblem } from "./reconcile/reconciler.ts";
import { unwrittenProblems } from "./unwritten.ts";

const problem = (owner: string, more: Partial<WriteProblem> = {}): WriteProblem => ({
  ...{ map: "policies", owner, entry: "1", count: 7, full: true, reason: "E2BIG: argument list too long" },
  ...more,
});

test("a full table is one problem of the node, which names whose entries it lacks and what stays in force", () => {
  const [found, ...more] = unwrittenProblems("one", [
    problem("GlobalNetworkPolicy b (1f)"),
    problem("GlobalNetworkPolicy b (2e)", { count: 1 }),
    problem("NetworkPolicy shop/a (3d)"),
  ]);
  expect(more).toEqual([]);
  expect(found).toMatchObject({ kind: "Node", name: "one", path: "status" });
  expect(found?.message).toContain(
    'the table "policies" lacks entries of GlobalNetworkPolicy b, NetworkPolicy shop/a: the table "policies" is full. ' +
      "Pods and host endpoints keep the last version of their policies that was complete",
  );
});

test("another number of entries, or another version of the same policies, is the same problem", () => {
  const first = unwrittenProblems("one", [problem("NetworkPolicy shop/a (3d)")]);
  expect(unwrittenProblems("one", [problem("NetworkPolicy shop/a (4c)", { count: 9, entry: "2" })])).toEqual(first);
});

test("what the kernel refuses for another reason is told with it, and each table by itself", () => {
  const found = unwrittenProblems("one", [
    problem("NetworkPolicy shop/a", { full: false, reason: "ENOMEM: out of memory" }),
    problem("Service shop/web", { map: "slots" }),
  ]);
  expect(found.map(({ message }) => message)).toEqual([
    expect.stringContaining("the kernel refused it (ENOMEM: out of memory)"),
    expect.stringContaining("What was there before stays in force"),
  ]);
});
