import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { expect, test } from "vitest";

function run(...words: string[]) {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    ["--disable-warning=MODULE_TYPELESS_PACKAGE_JSON", join(import.meta.dirname, "main.ts"), ...words],
    { encoding: "utf8", env: { ...process.env, COLUMNS: "80" } },
  );
  return { status, stdout, stderr };
}

test("the help lists the commands, and fits a terminal of 80 columns", () => {
  const { status, stdout, stderr } = run("--help");
  expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
  expect(stdout).toContain("Usage: ebpf-dataplane [options] [command]");
  expect(stdout).toMatch(/^ {2}status +say whether each node is ready and up to date$/m);
  expect(stdout.split("\n").filter((line) => line.length > 80)).toEqual([]);
  expect(run("help").stdout).toBe(stdout);
});

test("a misspelt command is refused with the one that is meant", () => {
  expect(run("stauts")).toEqual({
    status: 2,
    stdout: "",
    stderr: "error: unknown command 'stauts'\n(Did you mean status?)\n",
  });
  expect(run("help", "stauts").stderr).toContain("(Did you mean status?)");
});
