import { expect, test } from "vitest";
import { Began, onceBegun } from "./past.ts";

const settled = () => new Promise((resolve) => setImmediate(resolve));

test("why no node has a past is the error, and not said before it too", async () => {
  const said: string[] = [];
  const began = new Began(["a", "b"]);
  const note = onceBegun(began.done, (text) => said.push(text));
  note("node a: it keeps no history; it is tried again");
  began.told("a", "node a: it keeps no history");
  began.told("b", "node b: it keeps no history");
  await expect(began.done).rejects.toThrow("node a: it keeps no history");
  note("node b: it keeps no history; it is tried again");
  await settled();
  expect(said).toEqual([]);
});

test("what was said before all nodes told their past is said then, in turn, and the rest at once", async () => {
  const said: string[] = [];
  const began = new Began(["a", "b"]);
  const note = onceBegun(began.done, (text) => said.push(text));
  note("node a: its agent ended; it is tried again");
  began.told("a", "node a: its agent ended");
  note("history of b since 15:04:05");
  expect(said).toEqual([]);
  began.told("b");
  await settled();
  expect(said).toEqual(["node a: its agent ended; it is tried again", "history of b since 15:04:05"]);
  note("b: 3 flows lost");
  expect(said.at(-1)).toBe("b: 3 flows lost");
});
