import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { LabFailure } from "../failure.ts";
import { copy } from "./disk.ts";

function folder(): string {
  const made = mkdtempSync(join(tmpdir(), "disk-"));
  onTestFinished(() => rmSync(made, { recursive: true }));
  return made;
}

test("a file that vanished meanwhile is told from a disk that is full", async () => {
  const place = folder();
  writeFileSync(join(place, "there"), "x");
  const to = folder();
  const copying = (...files: string[]) => copy(["cp", "--archive", "--target-directory", to, ...files]);
  await copying(join(place, "there"));
  expect(existsSync(join(to, "there"))).toBe(true);
  await expect(copying(join(place, "there"), join(place, "gone"))).rejects.not.toBeInstanceOf(LabFailure);
  await expect(copying(join(place, "there"), join(place, "gone"))).rejects.toThrow("No such file or directory");
  await expect(copy(["cp", join(place, "there"), "/dev/full"])).rejects.toBeInstanceOf(LabFailure);
  await expect(copy(["cp", join(place, "there"), "/dev/full"])).rejects.toThrow("No space left on device");
  await expect(copy(["cp", join(place, "gone"), join(place, "there"), "/dev/full"])).rejects.toBeInstanceOf(LabFailure);
});
