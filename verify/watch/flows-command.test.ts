import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { fileProblem } from "../file-errors.ts";
import { collect } from "./flows-command.ts";

const interval = {
  ...{ type: "interval", node: "c", from: "2026-11-29T10:00:00Z", until: "2026-11-29T10:01:00Z", flows: 0 },
  ...{ lostConnections: 1, lostRefusals: 2, summarised: 0, pools: [], unwritten: 0 },
};

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), "flows-"));
  onTestFinished(() => rmSync(path, { recursive: true }));
  return path;
}

test("what was heard is written although a node is missing, as that node's whatever it says", async () => {
  const out = join(folder(), "flows.jsonl");
  const asked = [{ node: "a" }, { node: "b" }, { node: "c", problem: "ended with 137" }];
  const found = await collect(
    async (hear) => {
      hear(interval, "a");
      hear({ type: "nothing that is known" }, "b");
      return asked;
    },
    out,
    false,
  );
  expect(found.asked).toBe(asked);
  expect(found.text).toBe(
    "0 lines of flows of a; 3 events were counted but not named, because there were too many at once; no flow log on b",
  );
  expect(JSON.parse(readFileSync(out, "utf8"))).toEqual({ ...interval, node: "a" });
});

test.each([
  ["no node has a log", async () => []],
  [
    "something else fails",
    async () => {
      throw new Error("unforeseen");
    },
  ],
])("an earlier log stays and no draft is left if %s", async (_, ask) => {
  const path = folder();
  const out = join(path, "flows.jsonl");
  writeFileSync(out, "earlier");
  await collect(ask, out, false).catch(() => {});
  expect(readFileSync(out, "utf8")).toBe("earlier");
  expect(readdirSync(path)).toEqual(["flows.jsonl"]);
});

test("a file that cannot be written is an error of that file, and no crash", async () => {
  const out = join(folder(), "flows.jsonl");
  mkdirSync(`${out}.new`);
  const problem = await collect(async () => [], out, false).catch(fileProblem);
  expect(problem).toBe(`${out}.new is a folder; name a file.`);
  expect(existsSync(out)).toBe(false);
});
