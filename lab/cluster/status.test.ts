import { expect, test } from "vitest";
import { withLock } from "../lock.ts";
import { status } from "./status.ts";

test("status() of a lab names what works on it, and no kubeconfig before there is one", async () => {
  const lab = "statustest";
  expect(await status(lab)).toMatchObject({ lab, exists: false });
  const during = await withLock(lab, "up", () => status(lab));
  expect(during.worker).toBe(`'up' (process ${process.pid})`);
  expect(during.kubeconfig).toBeUndefined();
  expect((await status(lab)).worker).toBeUndefined();
});
