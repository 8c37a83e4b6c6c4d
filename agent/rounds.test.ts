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
  rounds.changed("EndpointSlice");
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

test("how long changes took is told by kind of object, from the first of each, once a round is complete", async () => {
  const told: [string, number][] = [];
  const results: ("done" | "partly")[] = ["done", "partly"];
  const rounds = new Rounds(
    async () => results.shift() ?? "done",
    (kind, seconds) => told.push([kind, seconds]),
  );
  await rounds.start();
  rounds.changed("EndpointSlice");
  rounds.changed("Service");
  rounds.changed("EndpointSlice");
  await new Promise((resolve) => setTimeout(resolve, 300));
  expect(told).toEqual([]); // partly written
  rounds.changed("Pod");
  await new Promise((resolve) => setTimeout(resolve, 1_200));
  expect(told.map(([kind]) => kind).sort()).toEqual(["EndpointSlice", "Pod", "Service"]);
  const seconds = Object.fromEntries(told);
  expect(seconds.EndpointSlice).toBeGreaterThan(0.3); // it waited for the complete round
});
