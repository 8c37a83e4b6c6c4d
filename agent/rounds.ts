import { type Intervals, Runner } from "./reconcile/runner.ts";

// A burst of changes is one round; what failed is tried again after a second, then less and less often; the machine is
// looked at every ten.
const INTERVALS: Intervals = { min: 20, retry: 1000, max: 10_000 };

/** When the kernel is brought to the cluster's state: not before start(), then after every trigger. */
export class Rounds {
  readonly #runner: Runner;
  #started = false;
  readonly #waiting = new Set<() => void>();
  #reached: (() => void) | undefined;

  #since: number | undefined;

  /** `round` answers as Dataplane.apply() does; `programmed` is told how many seconds a change took to be done. */
  constructor(round: () => Promise<"done" | "partly" | "failed">, programmed: (seconds: number) => void = () => {}) {
    this.#runner = new Runner(async () => {
      const since = this.#since;
      this.#since = undefined;
      const result = await round();
      if (result !== "failed") this.#reached?.();
      if (result === "done" && since !== undefined) programmed((performance.now() - since) / 1000);
      // A change that came meanwhile has a round of its own; one that was not done waits on.
      if (result !== "done") this.#since = since ?? this.#since;
      return result === "done";
    }, INTERVALS);
  }

  /** An object of the cluster changed. */
  changed(): void {
    if (this.#started) this.#since ??= performance.now();
    this.trigger();
  }

  /** Something changed. */
  trigger(): void {
    for (const look of this.#waiting) look();
    if (this.#started) this.#runner.trigger();
  }

  /** Resolves at the first trigger that finds the condition true, or at once. */
  until(condition: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      const look = () => {
        if (!condition()) return;
        this.#waiting.delete(look);
        resolve();
      };
      this.#waiting.add(look);
      look();
    });
  }

  /** Starts; resolves when the first round got through. */
  start(): Promise<void> {
    this.#started = true;
    const first = new Promise<void>((resolve) => {
      this.#reached = resolve;
    });
    this.#runner.trigger();
    return first;
  }
}
