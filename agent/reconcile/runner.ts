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

/** Milliseconds. A burst of triggers is one run, `min` after the previous run began; a run that failed or left work is repeated
 * after `retry`, then after twice as long each time, up to `max`. */
export interface Intervals {
  readonly min: number;
  readonly retry: number;
  readonly max: number;
  /** A patient trigger waits this many times as long as the previous run took, from its end, and `longest` at most. */
  readonly rest: { readonly times: number; readonly longest: number };
}

/** "patient": runs may rest between such triggers, so that changes without end take a bounded share of a processor. */
export type Urgency = "soon" | "patient";

/** Runs one job, never concurrently with itself, when triggered but at a bounded rate (the idea of
 * Kubernetes' BoundedFrequencyRunner). The first trigger after a quiet time runs at once. */
export class Runner {
  readonly #job: () => boolean | Promise<boolean>;
  readonly #intervals: Intervals;
  readonly #clock: Clock;
  #timer: unknown;
  #due = Number.POSITIVE_INFINITY;
  #lastStart = Number.NEGATIVE_INFINITY;
  #lastEnd = Number.NEGATIVE_INFINITY;
  #lastMs = 0;
  #running = false;
  #again: Urgency | undefined;
  #failures = 0;
  #stopped = false;

  /** `job` returns whether everything is done; false or a rejection requests a retry. It reports its own errors. */
  constructor(job: () => boolean | Promise<boolean>, intervals: Intervals, clock: Clock = systemClock) {
    this.#job = job;
    this.#intervals = intervals;
    this.#clock = clock;
  }

  trigger(urgency: Urgency = "soon"): void {
    if (!this.#running) this.#schedule(this.#dueFor(urgency));
    else if (this.#again !== "soon") this.#again = urgency;
  }

  stop(): void {
    this.#stopped = true;
    this.#clock.clearTimeout(this.#timer);
  }

  #dueFor(urgency: Urgency): number {
    const { min, rest } = this.#intervals;
    const soon = this.#lastStart + min;
    if (urgency === "soon") return soon;
    return Math.max(soon, this.#lastEnd + Math.min(rest.longest, rest.times * this.#lastMs));
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
    this.#again = undefined;
    let done = false;
    try {
      done = await this.#job();
    } catch {
      done = false; // the job has reported the reason; here it only means a retry
    }
    this.#running = false;
    this.#lastEnd = this.#clock.now();
    this.#lastMs = this.#lastEnd - this.#lastStart;
    const { retry, max } = this.#intervals;
    this.#failures = done ? 0 : this.#failures + 1;
    if (!done) this.#schedule(this.#lastEnd + Math.min(max, retry * 2 ** (this.#failures - 1)));
    if (this.#again) this.#schedule(this.#dueFor(this.#again));
  }
}
