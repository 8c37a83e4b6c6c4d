import { existsSync, mkdtempSync, readlinkSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { contentKey, contents, keepNewest, publish, removeAbandoned } from "./cache.ts";

const folder = mkdtempSync(join(tmpdir(), "cache-"));
afterAll(() => rmSync(folder, { recursive: true }));

function file(name: string, age = 0): string {
  const path = join(folder, name);
  writeFileSync(path, name);
  utimesSync(path, Date.now() / 1000 - age, Date.now() / 1000 - age);
  return path;
}

test("contentKey() depends on names and contents, not on their order", () => {
  expect(contentKey({ a: "1", b: "2" })).toBe(contentKey({ b: "2", a: "1" }));
  expect(contentKey({ a: "1", b: "2" })).not.toBe(contentKey({ a: "2", b: "1" }));
  expect(contentKey({ a: "12" })).not.toBe(contentKey({ a1: "2" }));
  expect(contentKey({})).toMatch(/^[0-9a-f]{12}$/);
});

test("contents() reads the wanted files", () => {
  file("one.go");
  file("one.txt");
  expect(Object.keys(contents(folder, (path) => path.endsWith(".go")))).toEqual(["one.go"]);
});

test("publish() replaces a link", () => {
  const link = join(folder, "link");
  publish(link, "first");
  publish(link, "second");
  expect(readlinkSync(link)).toBe("second");
});

test("keepNewest() keeps the newest and those in use", () => {
  const [old, used, older, newest] = [
    file("old", 20),
    file("used", 40),
    file("older", 30),
    file("newest", 10),
  ] as const;
  keepNewest([old, used, older, newest], 1, [used]);
  expect([old, used, older, newest].map((path) => existsSync(path))).toEqual([false, true, false, true]);
});

test("removeAbandoned() keeps drafts that may still be written", () => {
  const [abandoned, recent] = [file("x.1", 4000), file("x.2", 10)] as const;
  removeAbandoned([abandoned, recent]);
  expect([existsSync(abandoned), existsSync(recent)]).toEqual([false, true]);
});
