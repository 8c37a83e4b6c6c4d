import { chmodSync, existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { BirdDaemon } from "./daemon.ts";

const LONG_MS = 300_000;

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "bird-"));
  vi.stubEnv("PATH", `${folder}:${process.env.PATH}`);
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true });
});

/** In place of BIRD: accepts every configuration, and then does this. */
function bird(what: string): void {
  const program = `#!${process.execPath}
const option = (name) => process.argv[process.argv.indexOf(name) + 1];
if (!process.argv.includes("-p")) {
  setInterval(() => {}, 1000);
  ${what}
}
`;
  writeFileSync(join(folder, "bird"), program);
  chmodSync(join(folder, "bird"), 0o700);
}

const daemon = (patience: { startMs: number; endMs: number }) =>
  new BirdDaemon(join(folder, "bird.conf"), join(folder, "bird.ctl"), patience);

test("a BIRD that says that it ends, and does not, is killed", async () => {
  bird(`require("node:net").createServer((client) => {
    client.on("error", () => {});
    client.write("0001 BIRD ready.\\n");
    client.on("data", () => client.write("0000 \\n"));
  }).listen(option("-s"));`);
  const one = daemon({ startMs: LONG_MS, endMs: 50 });
  await one.follow("");
  expect(one.runs).toBe(true);
  await one.end("finally");
  expect(one.runs).toBe(false);
});

test("one that never listens is killed, and said to be so", async () => {
  bird("");
  const one = daemon({ startMs: 500, endMs: LONG_MS });
  await expect(one.follow("")).rejects.toThrow("bird does not start: it does not listen after 0.5 s");
  expect(one.runs).toBe(false);
  expect(existsSync(join(folder, "bird.ctl"))).toBe(false);
  expect(existsSync(join(folder, "bird.conf"))).toBe(true);
  await one.end("finally");
  expect(existsSync(join(folder, "bird.conf"))).toBe(false);
});
