import { expect, test } from "vitest";
import { outputOf } from "./run-command.ts";

test("a command's output is returned; one that fails, or that hangs, rejects with its words", async () => {
  expect(await outputOf("echo", ["a", "b"])).toBe("a b\n");
  await expect(outputOf("sh", ["-c", "echo wrong >&2; exit 3"])).rejects.toMatchObject({ code: 3, stderr: "wrong\n" });
  await expect(outputOf("sleep", ["3600"], 50)).rejects.toThrow(
    '"sleep 3600" did not end within 0.05 s and was killed',
  );
});
