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

const intervals = { min: 10, retry: 100, max: 1000, rest: { times: 3, longest: 200 } };

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

  test("patient triggers rest in proportion to what a run takes; one that is urgent does not wait", async () => {
    const { clock, runs, runner } = started(async () => {
      await new Promise<void>((resolve) => clock.setTimeout(resolve, 20));
      return true;
    });
    runner.trigger("patient");
    for (let ms = 0; ms < 300; ms += 5) {
      await clock.pass(5);
      runner.trigger("patient");
    }
    expect(runs).toEqual([0, 80, 160, 240]); // each 20, and a rest of 60
    await clock.pass(25); // at 325: rests since 260 or runs since 320
    runner.trigger("soon");
    await clock.pass(50);
    expect(runs.slice(4)).toEqual([320, 340]);
  });

  test("an urgent trigger during a run is not made to wait by a patient one after it", async () => {
    const { clock, runs, runner } = started(async (run) => {
      await new Promise<void>((resolve) => clock.setTimeout(resolve, 20));
      if (run === 1) for (const urgency of ["soon", "patient"] as const) runner.trigger(urgency);
      return true;
    });
    runner.trigger();
    await clock.pass(300);
    expect(runs).toEqual([0, 20]);
  });

  test("a long run is followed by a rest that is bounded", async () => {
    const { clock, runs, runner } = started(async (run) => {
      await new Promise<void>((resolve) => clock.setTimeout(resolve, 1000));
      if (run === 1) runner.trigger("patient");
      return true;
    });
    runner.trigger("patient");
    await clock.pass(3000);
    expect(runs).toEqual([0, 1200]);
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
