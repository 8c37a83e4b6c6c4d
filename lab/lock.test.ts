import { expect, it } from "vitest";
import { withLock } from "./lock.ts";

it("withLock() refuses the second while the first is at work, says who that is, and frees the lab afterwards", async () => {
  let refused: unknown;
  const answer = await withLock("testlock", "up", async () => {
    refused = await withLock("testlock", "down", async () => "down").catch((error: Error) => error.message);
    return "up";
  });
  expect(answer).toBe("up");
  expect(refused).toBe(`cannot begin 'down': 'up' (process ${process.pid}) is at work on lab testlock`);
  expect(await withLock("testlock", "down", async () => "down")).toBe("down");
});

it("withLock() frees the lab when the work fails", async () => {
  await expect(withLock("testlock", "up", () => Promise.reject(new Error("broken")))).rejects.toThrow("broken");
  expect(await withLock("testlock", "up", async () => "again")).toBe("again");
});
