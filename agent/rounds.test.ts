import { expect, test } from "vitest";
import { Rounds } from "./rounds.ts";

test("a change waits for the kernel until a round with it did not fail; a partly written one no longer waits", async () => {
  const results: ("done" | "partly" | "failed")[] = ["done"];
  let finish = () => {};
  let begun = 0;
  const begins = (count: number) => expect.poll(() => begun).toBe(count);
  const rounds = new Rounds(async () => {
    begun++;
    await new Promise<void>((resolve) => {
      finish = resolve;
    });
    return results.shift() ?? "done";
  });
  const started = rounds.start();
  await begins(1);
  finish();
  await started;
  expect(rounds.waitingMs).toBe(0);

  results.push("failed", "partly");
  rounds.changed("EndpointSlice");
  await begins(2);
  expect(rounds.waitingMs).toBeGreaterThan(0); // being written
  finish(); // it fails
  await begins(3); // the retry
  expect(rounds.waitingMs).toBeGreaterThan(1_000);
  finish();
  await expect.poll(() => rounds.waitingMs).toBe(0);
});

test("how long changes took is told by kind of object, from the first of each, once a round is complete", async () => {
  const told: [string, number][] = [];
  const results: ("done" | "partly")[] = ["done", "partly"];
  const toldBefore: number[] = [];
  const rounds = new Rounds(
    async () => {
      toldBefore.push(told.length);
      return results.shift() ?? "done";
    },
    (kind, seconds) => told.push([kind, seconds]),
  );
  await rounds.start();
  rounds.changed("EndpointSlice");
  rounds.changed("Service");
  rounds.changed("EndpointSlice");
  await expect.poll(() => results).toEqual([]);
  await new Promise((resolve) => setTimeout(resolve, 300));
  rounds.changed("Pod");
  await expect.poll(() => told.map(([kind]) => kind).sort()).toEqual(["EndpointSlice", "Pod", "Service"]);
  expect(toldBefore.slice(0, 3)).toEqual([0, 0, 0]); // the second was partly written
  const seconds = Object.fromEntries(told);
  expect(seconds.EndpointSlice).toBeGreaterThan(0.3); // it waited for the complete round
});

test("what rounds leave out for later is waiting as well, for as long as they do", async () => {
  let behindSince: number | undefined;
  const rounds = new Rounds(
    async () => "partly",
    () => {},
    () => behindSince,
  );
  await rounds.start();
  await expect.poll(() => rounds.waitingMs).toBe(0);
  behindSince = performance.now() - 70_000;
  expect(rounds.waitingMs).toBeGreaterThanOrEqual(70_000);
  behindSince = undefined;
  expect(rounds.waitingMs).toBe(0);
});
