import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { readSettings } from "./settings.ts";

function written(text: string): string {
  const folder = mkdtempSync(join(tmpdir(), "settings-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const path = join(folder, "settings.json");
  writeFileSync(path, text);
  return path;
}

test("settings that are not given have their defaults", () => {
  expect(readSettings(written("{}"))).toEqual(readSettings("/does/not/exist"));
});

test("every wrong setting is named with what is allowed", () => {
  const path = written('{ "mtu": 576, "uplink": ["eth0"], "logLevel": "inof" }');
  const read = () => readSettings(path);
  expect(read).toThrow(`Settings ${path}:\n  `);
  expect(read).toThrow("mtu is 576, but must be at least 1280");
  expect(read).toThrow('unknown key "uplink"; did you mean "uplinks"?');
  expect(read).toThrow('logLevel is "inof", but must be "debug" or "info" or "warn" or "error" (did you mean "info"?)');
});

test("services have metrics only where that is asked for, a hundred unless it says how many", () => {
  expect(readSettings(written("{}")).serviceMetrics).toBeUndefined();
  expect(readSettings(written('{ "serviceMetrics": {} }')).serviceMetrics).toEqual({ limit: 100 });
  const wrong = () =>
    readSettings(written('{ "serviceMetrics": { "limit": "all", "namespaces": [], "namespace": "a" } }'));
  expect(wrong).toThrow('serviceMetrics.limit is "all", but must be');
  expect(wrong).toThrow("serviceMetrics.namespaces");
  expect(wrong).toThrow('unknown key "namespace"; did you mean "namespaces"?');
});

test("a text that is not JSON is named by its path", () => {
  const path = written("{");
  expect(() => readSettings(path)).toThrow(`Settings ${path} is not valid JSON: `);
});
