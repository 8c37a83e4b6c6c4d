import { expect, onTestFinished, test, vi } from "vitest";
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

test("what rounds leave out for later waits since the last round that brought a piece to the kernel", async () => {
  vi.useFakeTimers();
  onTestFinished(() => void vi.useRealTimers());
  let result: "partly" | "failed" = "partly";
  let behindSince: number | undefined;
  const rounds = new Rounds(
    async () => result,
    () => {},
    () => behindSince,
  );
  await begun(rounds);
  expect(rounds.waitingMs).toBe(0);
  behindSince = performance.now();
  for (let piece = 0; piece < 20; piece++) {
    rounds.trigger();
    await vi.advanceTimersByTimeAsync(20);
    expect(rounds.waitingMs).toBeLessThanOrEqual(20);
    await vi.advanceTimersByTimeAsync(30_000); // with retries: each of them brings a piece
    expect(rounds.waitingMs).toBeLessThanOrEqual(10_000);
  }

  result = "failed";
  await vi.advanceTimersByTimeAsync(60_000);
  expect(rounds.waitingMs).toBeGreaterThanOrEqual(50_000);
  behindSince = undefined; // the last piece is in a round, which fails
  await vi.advanceTimersByTimeAsync(60_000);
  expect(rounds.waitingMs).toBeGreaterThanOrEqual(110_000);

  result = "partly";
  await vi.advanceTimersByTimeAsync(10_000);
  expect(rounds.waitingMs).toBe(0);
});

test("a last piece that one round fails to write waits, though no other one does", async () => {
  vi.useFakeTimers();
  onTestFinished(() => void vi.useRealTimers());
  let [calls, behindSince] = [0, undefined as number | undefined];
  const rounds = new Rounds(
    async () => {
      if (calls++ === 0) return "partly";
      behindSince = undefined; // taken off the list as the round begins
      return "failed";
    },
    () => {},
    () => behindSince,
  );
  await begun(rounds);
  behindSince = performance.now();
  rounds.trigger();
  await vi.advanceTimersByTimeAsync(61_000);
  expect(calls).toBeGreaterThan(2);
  expect(rounds.waitingMs).toBeGreaterThanOrEqual(60_000);
});

/** With a clock that stands still. */
async function begun(rounds: Rounds): Promise<void> {
  const started = rounds.start();
  await vi.advanceTimersByTimeAsync(0);
  await started;
}

test("changes of Services without end leave rests between rounds, and no pod waits for one", async () => {
  vi.useFakeTimers();
  onTestFinished(() => void vi.useRealTimers());
  const began: number[] = [];
  const rounds = new Rounds(async () => {
    began.push(performance.now());
    await new Promise((resolve) => setTimeout(resolve, 10));
    return "done";
  });
  void rounds.start();
  await vi.advanceTimersByTimeAsync(100);
  began.length = 0;
  for (let ms = 0; ms < 1000; ms++) {
    rounds.changed("EndpointSlice");
    await vi.advanceTimersByTimeAsync(1);
  }
  expect(began.length).toBeGreaterThan(20); // of 40 ms each: a quarter of the time is work
  expect(began.length).toBeLessThan(30);
  await vi.advanceTimersByTimeAsync(100);
  rounds.changed("EndpointSlice");
  await vi.advanceTimersByTimeAsync(11); // at once after a quiet time; the rest begins
  const asked = performance.now();
  rounds.changed("EndpointSlice");
  rounds.changed("Pod");
  await vi.advanceTimersByTimeAsync(20);
  expect((began.at(-1) as number) - asked).toBeGreaterThanOrEqual(0);
  expect((began.at(-1) as number) - asked).toBeLessThan(15);
});

test("a round that does not end is told after a minute, and no longer once it is through", async () => {
  vi.useFakeTimers();
  onTestFinished(() => void vi.useRealTimers());
  let hangs = false;
  let finish = () => {};
  const rounds = new Rounds(async () => {
    if (hangs)
      await new Promise<void>((resolve) => {
        finish = resolve;
      });
    return "done";
  });
  void rounds.start();
  await vi.advanceTimersByTimeAsync(1_000);
  hangs = true;
  rounds.changed("EndpointSlice");
  await vi.advanceTimersByTimeAsync(59_000);
  rounds.expectProgress();
  await vi.advanceTimersByTimeAsync(2_000);
  expect(() => rounds.expectProgress()).toThrow("a change has waited for more than 60 s");
  hangs = false;
  finish();
  await vi.advanceTimersByTimeAsync(1_000);
  rounds.expectProgress();
});
