import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { readProject, settingsOf } from "./project.ts";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "project-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

function write(files: Record<string, string>): void {
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
}

test("readProject() reads a stack's settings as the CLI passes them", () => {
  write({
    "Pulumi.yaml": "name: app\nruntime: {name: nodejs, options: {typescript: true}}\nmain: main.ts\n",
    "Pulumi.dev.yaml": "config:\n  mode: dsr\n  aws:region: eu\n  app:port: 80\n  app:list: [1, 2]\n",
  });
  const project = readProject(folder, "dev", ["mode=tunnel", "app:note=a=b"]);
  expect(project).toMatchObject({ name: "app", stack: "dev", entry: join(folder, "main.ts") });
  expect(project.config).toEqual({
    "app:mode": "tunnel",
    "aws:region": "eu",
    "app:port": "80",
    "app:list": "[1,2]",
    "app:note": "a=b",
  });
});

test("readProject() needs no stack file", () => {
  write({ "Pulumi.yaml": "name: app\nruntime: nodejs\n" });
  expect(readProject(folder, "dev").config).toEqual({});
});

test.each<[string, Record<string, string>, string[], string]>([
  ["no project", {}, [], "Pulumi.yaml: ENOENT"],
  [
    "another language",
    { "Pulumi.yaml": "name: app\nruntime: go\n" },
    [],
    "runs TypeScript and JavaScript programs only",
  ],
  [
    "an encrypted setting",
    { "Pulumi.yaml": "name: app\nruntime: nodejs\n", "Pulumi.dev.yaml": "config:\n  a: {secure: x}\n" },
    [],
    "a is encrypted, and only the Pulumi CLI has the key",
  ],
  [
    "a misspelt key of the stack's file",
    { "Pulumi.yaml": "name: app\nruntime: nodejs\n", "Pulumi.dev.yaml": "confg:\n  mode: dsr\n" },
    [],
    'unknown key "confg"; did you mean "config"?',
  ],
  ["a setting without a value", { "Pulumi.yaml": "name: app\nruntime: nodejs\n" }, ["mode"], "must be KEY=VALUE"],
])("readProject() refuses %s", (_, files, overrides, message) => {
  write(files);
  expect(() => readProject(folder, "dev", overrides)).toThrow(message);
});

test.each([
  ["", []],
  ["router=true", ["router=true"]],
  [
    '  router=true ipFamilies=["IPv4", "IPv6"]  aws:region=eu ',
    ["router=true", 'ipFamilies=["IPv4", "IPv6"]', "aws:region=eu"],
  ],
  ["note=two words a=b", ["note=two words", "a=b"]],
  ["router true", ["router true"]],
])("the settings of %j", (text, settings) => {
  expect(settingsOf(text)).toEqual(settings);
});

test("make passes CONFIG on as it is, whatever quotes and spaces it has", () => {
  const given = `note=it's ipFamilies=["IPv4", "IPv6"]`;
  const root = join(import.meta.dirname, "..");
  const { stdout } = spawnSync("make", ["--dry-run", "preview", `CONFIG=${given}`], { cwd: root, encoding: "utf8" });
  const command = stdout.split("\n").find((line) => line.includes("runner.js preview"));
  const said = spawnSync("sh", ["-c", `node() { printf '%s\\n' "$@"; }; ${command}`], { encoding: "utf8" });
  expect(said.stdout.split("\n")).toContain(given);
});
