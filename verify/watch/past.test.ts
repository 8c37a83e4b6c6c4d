import { expect, onTestFinished, test, vi } from "vitest";
import { Began, onceBegun, Silences } from "./past.ts";

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

test("of too many messages before all nodes have begun the latest are said, and how many are left out", async () => {
  const said: string[] = [];
  const began = new Began(["a", "silent"]);
  const note = onceBegun(began.done, (text) => said.push(text), 10);
  for (let lost = 1; lost <= 100; lost++) note(`a: ${lost} flows lost`);
  began.told("a");
  began.told("silent");
  await settled();
  expect(said).toHaveLength(11);
  expect(said[0]).toMatch(/^90 earlier messages about nodes are left out: /);
  expect(said.slice(1)).toEqual(Array.from({ length: 10 }, (_, at) => `a: ${91 + at} flows lost`));
});

test("a node that says nothing is waited for no longer, one that tells its past is", () => {
  vi.useFakeTimers();
  onTestFinished(() => void vi.useRealTimers());
  const late: string[] = [];
  const silences = new Silences(["busy", "done", "silent"], (node, problem) => {
    late.push(problem);
    silences.told(node);
  });
  for (let second = 0; second < 540; second += 60) {
    silences.heard("busy");
    silences.told("done");
    silences.heard("done");
    vi.advanceTimersByTime(60_000);
  }
  silences.told("busy");
  silences.heard("silent");
  vi.advanceTimersByTime(100_000);
  expect(late).toEqual(["node silent: it said nothing of its past for 120 s"]);
});

test("a node that tells a little of its past again and again is waited for no longer than ten minutes", () => {
  vi.useFakeTimers();
  onTestFinished(() => void vi.useRealTimers());
  const late: string[] = [];
  const silences = new Silences(["hostile"], (node, problem) => {
    late.push(problem);
    silences.told(node);
  });
  for (let second = 0; second < 6000; second += 100) {
    silences.heard("hostile");
    vi.advanceTimersByTime(100_000);
  }
  expect(late).toEqual(["node hostile: it told of its past for 600 s without an end"]);
});
