import pc from "picocolors";

/** Reports a measurement's progress and remaining time: first from an estimate, then from the duration of its steps. */
export class Countdown {
  readonly #steps: number;
  readonly #guess: number;
  readonly #quiet: boolean;
  readonly #began = performance.now();
  #done = 0;
  #spoke = 0;

  /** @param guess seconds for all steps */
  constructor(steps: number, guess: number, quiet: boolean) {
    this.#steps = steps;
    this.#guess = guess;
    this.#quiet = quiet;
  }

  /** A step has ended. On a terminal one line that changes, elsewhere a line every ten seconds. */
  step(what: string): void {
    this.#done++;
    if (this.#quiet) return;
    const elapsed = (performance.now() - this.#began) / 1000;
    const { isTTY } = process.stderr;
    if (!isTTY && elapsed - this.#spoke < 10 && this.#done < this.#steps) return;
    this.#spoke = elapsed;
    const line = `${this.#done}/${this.#steps}  ${what}  ${pc.dim(`about ${spoken(this.remaining(elapsed))} to go`)}`;
    process.stderr.write(isTTY ? `\r\x1b[K${line}${this.#done === this.#steps ? "\n" : ""}` : `${line}\n`);
  }

  /** Seconds; the guess fades as steps are measured. */
  remaining(elapsed: number): number {
    const left = 1 - this.#done / this.#steps;
    return this.#done < 3 ? this.#guess * left : (elapsed / this.#done) * (this.#steps - this.#done);
  }
}

/** "40 s", "3 min 20 s" */
export function spoken(seconds: number): string {
  const whole = Math.round(seconds);
  return whole < 60 ? `${whole} s` : `${Math.floor(whole / 60)} min ${whole % 60} s`;
}
