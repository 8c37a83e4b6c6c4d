import { expect, test } from "vitest";
import { Rounds } from "./rounds.ts";

test("a change waits for the kernel until a round with it did not fail; a partly written one no longer waits", async () => {
  const results: ("done" | "partly" | "failed")[] = ["done"];
  let finish = () => {};
  const rounds = new Rounds(async () => {
    await new Promise<void>((resolve) => {
      finish = resolve;
    });
    return results.shift() ?? "done";
  });
  const settle = () => new Promise((resolve) => setTimeout(resolve, 60));
  const started = rounds.start();
  await settle();
  finish();
  await started;
  expect(rounds.waitingMs).toBe(0);

  results.push("failed", "partly");
  rounds.changed();
  await settle();
  expect(rounds.waitingMs).toBeGreaterThan(0); // being written
  finish();
  await settle();
  expect(rounds.waitingMs).toBeGreaterThan(0); // failed
  await new Promise((resolve) => setTimeout(resolve, 1_000)); // the retry
  expect(rounds.waitingMs).toBeGreaterThan(1_000);
  finish();
  await settle();
  expect(rounds.waitingMs).toBe(0);
});
