import { expect, test } from "vitest";
import { failed } from "./failed.ts";
import { Stopped, stoppedStatus, unlessStopped } from "./stopping.ts";

test("work that is stopped is not waited for, and its end in an error harms nobody", async () => {
  const controller = new AbortController();
  const { promise: work, reject } = Promise.withResolvers<void>();
  const waiting = unlessStopped(controller.signal, work);
  controller.abort();
  const error = await waiting.catch((error: unknown) => error);
  expect(error).toBeInstanceOf(Stopped);
  expect(failed(error)).toBe(stoppedStatus);
  reject(new Error("the connection closed"));
  await expect(unlessStopped(controller.signal, Promise.resolve())).rejects.toThrow(Stopped);
});

test("work that ends in time has its result, or its error", async () => {
  const { signal } = new AbortController();
  expect(await unlessStopped(signal, Promise.resolve(7))).toBe(7);
  await expect(unlessStopped(signal, Promise.reject(new Error("no node")))).rejects.toThrow("no node");
});
