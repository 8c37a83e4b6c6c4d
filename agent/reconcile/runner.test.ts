import { describe, expect, test } from "vitest";
import { type Clock, Runner } from "./runner.ts";

/** A clock that the test advances. */
class ManualClock implements Clock {
  #now = 0;
  readonly #timers = new Map<object, { at: number; callback: () => void }>();
  now = () => this.#now;
  setTimeout(callback: () => void, ms: number): object {
    const timer = {};
    this.#timers.set(timer, { at: this.#now + ms, callback });
    return timer;
  }
  clearTimeout(timer: unknown): void {
    this.#timers.delete(timer as object);
  }
  async pass(ms: number): Promise<void> {
    const end = this.#now + ms;
    for (;;) {
      const next = [...this.#timers].filter(([, { at }]) => at <= end).sort((a, b) => a[1].at - b[1].at)[0];
      if (!next) break;
      this.#timers.delete(next[0]);
      this.#now = next[1].at;
      next[1].callback();
      await new Promise((resolve) => setImmediate(resolve)); // lets the job's promise settle
    }
    this.#now = end;
  }
}

const intervals = { min: 10, retry: 100, max: 1000 };

function started(job: (run: number) => boolean | Promise<boolean> = () => true) {
  const clock = new ManualClock();
  const runs: number[] = [];
  const runner = new Runner(() => job(runs.push(clock.now())), intervals, clock);
  return { clock, runs, runner };
}

describe("Runner", () => {
  test("the first trigger runs at once, a burst after it is one run", async () => {
    const { clock, runs, runner } = started();
    runner.trigger();
    await clock.pass(1);
    for (let count = 0; count < 5; count++) runner.trigger();
    await clock.pass(50);
    expect(runs).toEqual([0, 10]);
  });

  test("a trigger during a run is not lost", async () => {
    const { clock, runs, runner } = started((run) => {
      if (run === 1) runner.trigger();
      return true;
    });
    runner.trigger();
    await clock.pass(50);
    expect(runs).toEqual([0, 10]);
  });

  test("a run that failed or left work is repeated, less and less often", async () => {
    const { clock, runs, runner } = started((run) => {
      if (run === 1) throw new Error("the map is full");
      return run > 5;
    });
    runner.trigger();
    await clock.pass(3000);
    expect(runs).toEqual([0, 100, 300, 700, 1500, 2500]);
  });

  test("does not run without a trigger, and never after stop()", async () => {
    const { clock, runs, runner } = started();
    runner.trigger();
    await clock.pass(2500);
    expect(runs).toEqual([0]);
    runner.stop();
    runner.trigger();
    await clock.pass(5000);
    expect(runs).toEqual([0]);
  });
});
