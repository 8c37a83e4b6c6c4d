// Estimated duration of a step: its last duration on this computer, or a guess that is labeled as such.
import { readFileSync, renameSync, writeFileSync } from "node:fs";

export interface Estimate {
  seconds: number;
  /** `measured`: the last run on this computer; `guessed`: a constant, from a computer with two cores. */
  basis: "measured" | "guessed";
}

/** Shorter steps tell little of a computer's speed. */
const TELLING_SECONDS = 15;

const CACHED = 0.1;

export class DurationBook {
  readonly #file: string;
  /** Of this run: what steps took, and what was guessed. */
  readonly #so = { took: 0, guessed: 0 };

  /** @param file a JSON object of seconds by step; if it is missing or invalid, nothing was measured */
  constructor(file: string) {
    this.#file = file;
  }

  /** A guess is scaled by the speed of this run so far. */
  estimate(step: string, guess: number): Estimate {
    const seconds = this.#read()[step];
    if (seconds !== undefined) return { seconds, basis: "measured" };
    const { took, guessed } = this.#so;
    return { seconds: guess * (guessed >= TELLING_SECONDS ? took / guessed : 1), basis: "guessed" };
  }

  /** What took a small part of the time that is known found its parts in a compiler's cache: it says nothing of the next time. */
  record(step: string, seconds: number, guess: number): void {
    if (seconds < (this.#read()[step] ?? guess) * CACHED) return;
    this.#so.took += seconds;
    this.#so.guessed += guess;
    const draft = `${this.#file}.${process.pid}`;
    writeFileSync(draft, `${JSON.stringify({ ...this.#read(), [step]: Math.round(seconds * 10) / 10 }, null, 2)}\n`);
    renameSync(draft, this.#file);
  }

  #read(): Record<string, number> {
    try {
      const book: unknown = JSON.parse(readFileSync(this.#file, "utf8"));
      if (typeof book !== "object" || book === null) return {};
      return Object.fromEntries(Object.entries(book).filter(([, seconds]) => typeof seconds === "number"));
    } catch {
      return {};
    }
  }
}

/** `52 s`, `9 min 05 s`, and `0.4 s` below ten seconds. */
export function spoken(seconds: number): string {
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  return `${Math.floor(whole / 60)} min ${String(whole % 60).padStart(2, "0")} s`;
}
