import { describe, expect, it } from "vitest";
import { attempt, run } from "./command.ts";

describe("attempt()", () => {
  it("returns status, stdout and stderr, and passes input", async () => {
    const result = await attempt(["sh", "-c", "cat; echo said >&2; exit 3"], { input: "in" });
    expect(result).toEqual({ status: 3, stdout: "in", stderr: "said\n" });
  });

  it("kills a command that takes too long", async () => {
    expect((await attempt(["sleep", "60"], { timeout: 50 })).status).toBe(124);
  });

  it("accepts a command that reads no input", async () => {
    expect((await attempt(["true"], { input: "x".repeat(1 << 20) })).status).toBe(0);
  });
});

describe("run()", () => {
  it("reports the attempt, the command and its output", async () => {
    const failing = run(["sh", "-c", "echo no such thing >&2; exit 1"], { purpose: "make the thing" });
    await expect(failing).rejects.toThrow(/cannot make the thing: 'sh -c .*' exited with status 1:\n {2}no such thing/);
  });

  it("says of a full disk one line, and what to do", async () => {
    const lines = [1, 2, 3].map((file) => `cp: error writing '/d/${file}': No space left on device`).join("\n");
    const failing = run(["sh", "-c", `echo "${lines}" >&2; exit 1`], { purpose: "copy it" });
    await expect(failing).rejects.toMatchObject({
      message: "cannot copy it: cp: error writing '/d/1': No space left on device",
      next: "free space on that disk, then run the same command again",
    });
  });

  it("names a missing program", async () => {
    await expect(run(["no-such-program"])).rejects.toThrow("cannot run no-such-program");
  });
});
