import { expect, test } from "vitest";
import { failureInWords, run } from "./command.ts";

const failing = (script: string) => run("sh", ["-c", script]).then(String, (error: Error) => error);

test("a failed command is named with how it ended and the end of its output", async () => {
  const error = await failing("seq 100; echo wrong >&2; exit 3");
  expect((error as Error).message).toMatch(/^"sh -c .*" exited with status 3:\n[\s\S]*\n100\n?[\s\S]*$/);
  expect((error as Error).message.split("\n").length).toBe(41);
  expect(failureInWords(error, "/cache")).toBe((error as Error).message);
});

test("of a full disk the line that says so is told, however much comes after it, with the next step", async () => {
  const error = await failing(
    "echo 'LLVM ERROR: IO failure on output stream: No space left on device'; seq 100; exit 1",
  );
  const told = failureInWords(error, "/cache").split("\n").slice(1);
  expect(told).toEqual([
    "LLVM ERROR: IO failure on output stream: No space left on device",
    "Next: free space on the disks of this checkout and of /cache, then run the same command again.",
  ]);
  const ofNode = new Error("ENOSPC: no space left on device, write");
  expect(failureInWords(ofNode, "/cache")).toContain("Next: free space");
});

test("what this user may not write is told in one line, with the next step", () => {
  const lines = [
    "Build failed with 2 errors:",
    "error: open /c/dist/a.js: permission denied",
    "error: open /c/dist/b.js: permission denied",
  ];
  expect(failureInWords(new Error(lines.join("\n")), "/cache")).toMatch(
    /^error: open \/c\/dist\/a.js: permission denied\nNext: (root|this user) needs to write to this checkout and \/cache; run it as /,
  );
});
