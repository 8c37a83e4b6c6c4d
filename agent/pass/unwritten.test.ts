import { expect, test } from "vitest";
import type { WriteProblem } from "../reconcile/reconciler.ts";
import { UnwrittenLog, unwrittenProblems } from "./unwritten.ts";

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

test("the log has each entry that is not written once, and only the first of very many", () => {
  const lines: unknown[] = [];
  const log = new UnwrittenLog({ error: (line: unknown) => void lines.push(line) } as never);
  log.log([problem("NetworkPolicy shop/a", { count: 1 }), problem("NetworkPolicy shop/b")]);
  log.log([problem("NetworkPolicy shop/a", { count: 1 }), problem("NetworkPolicy shop/b")]);
  const reason = "E2BIG: argument list too long";
  expect(lines).toEqual([
    `NetworkPolicy shop/a: its entry 1 is not in the map policies: ${reason}`,
    `NetworkPolicy shop/b: 7 of its entries (1 …) are not in the map policies: ${reason}`,
  ]);
  log.log(Array.from({ length: 25 }, (_, at) => problem(`NetworkPolicy shop/${at}`)));
  expect(lines.slice(-1)).toEqual(["… and 5 more"]);
  expect(lines).toHaveLength(2 + 20 + 1);
});
