import { expect, it } from "vitest";
import { withLock } from "./lock.ts";

it("withLock() refuses a second operation during the first, names the first, and frees the lab afterwards", async () => {
  let refused: unknown;
  const answer = await withLock("testlock", "up", async () => {
    refused = await withLock("testlock", "down", async () => "down").catch((error: Error) => error.message);
    return "up";
  });
  expect(answer).toBe("up");
  expect(refused).toBe(`cannot begin 'down': 'up' (process ${process.pid}) is using lab testlock`);
  expect(await withLock("testlock", "down", async () => "down")).toBe("down");
});

it("withLock() frees the lab if the operation fails", async () => {
  await expect(withLock("testlock", "up", () => Promise.reject(new Error("broken")))).rejects.toThrow("broken");
  expect(await withLock("testlock", "up", async () => "again")).toBe("again");
});
