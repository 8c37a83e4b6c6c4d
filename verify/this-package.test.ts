import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { isCheckout, packageCommit } from "./this-package.ts";

test("a package is a checkout if it has the project's targets of make", () => {
  const folder = mkdtempSync(join(tmpdir(), "ebpf-dataplane-package-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  expect(isCheckout()).toBe(true);
  expect(isCheckout(folder)).toBe(false);
});

test("a commit is that of the package's own checkout, never of a repository that it is installed in", () => {
  const folder = mkdtempSync(join(tmpdir(), "ebpf-dataplane-commit-"));
  const installed = join(folder, "node_modules", "ebpf-dataplane");
  mkdirSync(installed, { recursive: true });
  expect(packageCommit(folder)).toBeUndefined();
  const git = (...words: string[]) =>
    execFileSync("git", ["-C", folder, "-c", "user.name=a", "-c", "user.email=a@b", ...words]);
  git("init", "-q");
  git("commit", "-q", "--allow-empty", "-m", "a");
  expect(packageCommit(folder)).toMatch(/^[0-9a-f]{12}$/);
  expect(packageCommit(installed)).toBeUndefined();
  writeFileSync(join(folder, "file"), "");
  git("add", "file");
  expect(packageCommit(folder)).toMatch(/^[0-9a-f]{12}-dirty$/);
  rmSync(folder, { recursive: true });
});
