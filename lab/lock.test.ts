import { expect, it } from "vitest";
import { holderOf, withLock } from "./lock.ts";

it("withLock() refuses a second operation during the first, names the first, and frees the lab afterwards", async () => {
  let refused: unknown;
  let holder: unknown;
  expect(await holderOf("testlock")).toBeUndefined();
  const answer = await withLock("testlock", "up", async () => {
    refused = await withLock("testlock", "down", async () => "down").catch((error: Error) => error.message);
    holder = await holderOf("testlock");
    return "up";
  });
  expect(holder).toBe(`'up' (process ${process.pid})`);
  expect(answer).toBe("up");
  expect(refused).toBe(`cannot begin 'down': 'up' (process ${process.pid}) is using lab testlock`);
  expect(await withLock("testlock", "down", async () => "down")).toBe("down");
});

it("withLock() frees the lab if the operation fails", async () => {
  await expect(withLock("testlock", "up", () => Promise.reject(new Error("broken")))).rejects.toThrow("broken");
  expect(await withLock("testlock", "up", async () => "again")).toBe("again");
});
