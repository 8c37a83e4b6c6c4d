import { expect, onTestFinished, test, vi } from "vitest";
import { askNodes, sayMissing } from "./ask-nodes.ts";

const END = Promise.resolve();
const never = new Promise<void>(() => {});

/** Nodes that say these records and end so. */
function nodes(said: Record<string, { records?: unknown[]; ended?: Promise<void>; unreachable?: string }>) {
  const stopped: string[] = [];
  const heard: [string, unknown][] = [];
  const asked = askNodes(
    Object.keys(said),
    async (node, hear) => {
      const { records = [], ended = END, unreachable } = said[node] ?? {};
      if (unreachable) throw new Error(unreachable);
      for (const record of records) hear(record);
      return { node, ended, stop: () => stopped.push(node) };
    },
    (record, node) => heard.push([node, record]),
    20,
  );
  return { asked, heard, stopped };
}

test("a node that misbehaves is named, and the others are heard", async () => {
  const failing = Promise.reject(new Error("node b: ended with 137"));
  failing.catch(() => {});
  const { asked, heard, stopped } = nodes({
    d: { ended: never },
    b: { records: [1], ended: failing },
    c: { unreachable: "exec in pod ns/agent at https://10.0.0.1: Unexpected server response: 502" },
    a: { records: [2, 3] },
  });
  expect(await asked).toEqual([
    { node: "a" },
    { node: "b", problem: "ended with 137" },
    { node: "c", problem: "exec in pod ns/agent at https://10.0.0.1: Unexpected server response: 502" },
    { node: "d", problem: "said nothing for 0 s" },
  ]);
  expect(heard.toSorted()).toEqual([
    ["a", 2],
    ["a", 3],
    ["b", 1],
  ]);
  expect(stopped).toContain("d");
});

test("the exit status tells whether all, some or no nodes answered", () => {
  const said: string[] = [];
  const spy = vi.spyOn(console, "error").mockImplementation((text: string) => void said.push(text));
  onTestFinished(() => spy.mockRestore());
  expect(sayMissing([{ node: "a" }, { node: "b" }], "lost")).toBe(0);
  expect(said).toEqual([]);
  expect(sayMissing([{ node: "a" }, { node: "b", problem: "gone" }], "its flows are lost")).toBe(1);
  expect(said).toEqual(["node b: gone", "1 of 2 nodes are missing: its flows are lost"]);
  expect(sayMissing([{ node: "a", problem: "gone" }], "lost")).toBe(2);
});
