import { describe, expect, it } from "vitest";
import { attempt, run } from "./command.ts";

describe("attempt()", () => {
  it("answers status, output and what was said, and passes on input", async () => {
    const result = await attempt(["sh", "-c", "cat; echo said >&2; exit 3"], { input: "in" });
    expect(result).toEqual({ status: 3, stdout: "in", stderr: "said\n" });
  });

  it("kills what takes too long", async () => {
    expect((await attempt(["sleep", "60"], { timeout: 50 })).status).toBe(124);
  });

  it("does not mind a command that reads no input", async () => {
    expect((await attempt(["true"], { input: "x".repeat(1 << 20) })).status).toBe(0);
  });
});

describe("run()", () => {
  it("says what was attempted, with which command, and what that said", async () => {
    const failing = run(["sh", "-c", "echo no such thing >&2; exit 1"], { purpose: "make the thing" });
    await expect(failing).rejects.toThrow(/cannot make the thing: 'sh -c .*' exited with status 1:\n {2}no such thing/);
  });

  it("names a program that is missing", async () => {
    await expect(run(["no-such-program"])).rejects.toThrow("cannot run no-such-program");
  });
});
