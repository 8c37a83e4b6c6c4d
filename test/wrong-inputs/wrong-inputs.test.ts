// What a user sees who gets an input wrong: each through the runner's preview, all in one process.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import * as pulumi from "@pulumi/pulumi";
import { beforeAll, expect, test } from "vitest";
import * as components from "../../components/index.ts";
import { WRONG_INPUTS } from "./cases.ts";
import type { Seen } from "./previews.ts";

let seen: Seen[] = [];

beforeAll(async () => {
  const folder = mkdtempSync(join(tmpdir(), "wrong-inputs-"));
  try {
    const program = join(import.meta.dirname, "previews.ts");
    const child = spawn(process.execPath, ["--no-warnings", program, folder], {
      env: { ...process.env, NO_COLOR: "1", AWS_REGION: "" },
    });
    child.stdin.end(JSON.stringify(WRONG_INPUTS.map(({ files }) => files)));
    const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr), once(child, "close")]);
    seen = stdout
      .split("\n")
      .filter(Boolean)
      .map((line) => JSON.parse(line) as Seen);
    if (seen.length < WRONG_INPUTS.length) throw new Error(`case ${seen.length} ended the process: ${stderr}`);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("there are more than fifty, and some of every component", () => {
  expect(WRONG_INPUTS.length).toBeGreaterThan(50);
  const names = Object.entries(components).flatMap(([name, one]) =>
    typeof one === "function" && one.prototype instanceof pulumi.ComponentResource ? [name] : [],
  );
  expect(names.filter((name) => !WRONG_INPUTS.some(({ of }) => of === name))).toEqual([]);
});

test.each(WRONG_INPUTS.map(({ of, place, allowed }, number) => [of, place, allowed, number] as const))(
  "%s: %s … %s",
  (_, place, allowed, number) => {
    const { code, stdout, stderr, written } = seen[number] as Seen;
    expect(stderr).toContain("preview of stack dev failed: ");
    expect(stderr).toContain(place);
    expect(stderr).toContain(allowed);
    expect(stderr).not.toMatch(/\n\s+at /);
    expect(stdout).toBe("");
    expect(code).toBe(2);
    expect(written).toEqual([]);
  },
);
