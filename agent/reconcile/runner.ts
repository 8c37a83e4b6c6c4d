/** Time as the runner sees it; tests inject their own. Milliseconds. */
export interface Clock {
  now(): number;
  setTimeout(callback: () => void, ms: number): unknown;
  clearTimeout(timer: unknown): void;
}

export const systemClock: Clock = {
  now: () => performance.now(),
  setTimeout: (callback, ms) => setTimeout(callback, ms),
  clearTimeout: (timer) => clearTimeout(timer as NodeJS.Timeout),
};

/** Milliseconds. A burst of triggers is one run, `min` after the previous run; a run that failed or left work is repeated
 * after `retry`, then after twice as long each time, up to `max`. */
export interface Intervals {
  readonly min: number;
  readonly retry: number;
  readonly max: number;
}

/** Runs one job, never concurrently with itself, when triggered but at a bounded rate (the idea of
 * Kubernetes' BoundedFrequencyRunner). The first trigger after a quiet time runs at once. */
export class Runner {
  readonly #job: () => boolean | Promise<boolean>;
  readonly #intervals: Intervals;
  readonly #clock: Clock;
  #timer: unknown;
  #due = Number.POSITIVE_INFINITY;
  #lastStart = Number.NEGATIVE_INFINITY;
  #running = false;
  #again = false;
  #failures = 0;
  #stopped = false;

  /** `job` returns whether everything is done; false or a rejection requests a retry. It reports its own errors. */
  constructor(job: () => boolean | Promise<boolean>, intervals: Intervals, clock: Clock = systemClock) {
    this.#job = job;
    this.#intervals = intervals;
    this.#clock = clock;
  }

  trigger(): void {
    if (this.#running) this.#again = true;
    else this.#schedule(this.#lastStart + this.#intervals.min);
  }

  stop(): void {
    this.#stopped = true;
    this.#clock.clearTimeout(this.#timer);
  }

  #schedule(due: number): void {
    if (this.#stopped || due >= this.#due) return;
    this.#due = due;
    this.#clock.clearTimeout(this.#timer);
    this.#timer = this.#clock.setTimeout(() => void this.#run(), Math.max(0, due - this.#clock.now()));
  }

  async #run(): Promise<void> {
    this.#due = Number.POSITIVE_INFINITY;
    this.#lastStart = this.#clock.now();
    this.#running = true;
    this.#again = false;
    let done = false;
    try {
      done = await this.#job();
    } catch {
      done = false; // the job has reported the reason; here it only means a retry
    }
    this.#running = false;
    const { min, retry, max } = this.#intervals;
    this.#failures = done ? 0 : this.#failures + 1;
    if (!done) this.#schedule(this.#clock.now() + Math.min(max, retry * 2 ** (this.#failures - 1)));
    if (this.#again) this.#schedule(this.#lastStart + min);
  }
}
