// One line for each step: its purpose, its estimated duration, and its progress if it takes long. On standard
// error, because standard output is for results.
import { type DurationBook, type Estimate, spoken } from "./durations.ts";

export interface Step {
  name: string;
  /** A readable name of its result. */
  title: string;
  /** A guess of its duration, for the first run on this computer. */
  guessSeconds: number;
  /** Builds the result if it is missing, and may say which share of the work is done. Returns a note about it; `fresh` means that nothing had
   * to be done. */
  make(done: (share: number) => void): Promise<{ fresh: boolean; note?: string }>;
  /** True if `make` will have nothing to do; affects only the announcement. */
  fresh(): boolean;
}

/** Without a terminal, a line at intervals, because continuous integration ends silent jobs. */
const SIGN_OF_LIFE_SECONDS = 30;

/** @param options `quiet`: reports only failures and slow steps */
export async function runStep(step: Step, book: DurationBook, options: { quiet?: boolean } = {}): Promise<void> {
  const out = process.stderr;
  const estimate = book.estimate(step.name, step.guessSeconds);
  if (!options.quiet && !step.fresh() && estimate.seconds >= 5)
    out.write(`  ${step.name}: ${step.title} (${expectation(estimate)})\n`);
  const started = performance.now();
  const seconds = () => (performance.now() - started) / 1000;
  let heard: Heard | undefined;
  const done = (share: number) => {
    heard = { share, since: heard?.since ?? seconds() };
  };
  const tell = () => {
    const line = ahead(step.name, seconds(), estimate, heard);
    out.write(out.isTTY ? `\r  ${line}\x1b[K` : `  ${line}\n`);
  };
  const clock = setInterval(tell, out.isTTY ? 1000 : SIGN_OF_LIFE_SECONDS * 1000);
  try {
    const { fresh, note } = await step.make(done);
    if (!fresh) book.record(step.name, seconds(), step.guessSeconds);
    clearLine(out);
    if (!options.quiet)
      out.write(`✓ ${step.name}: ${note ?? step.title}, ${fresh ? "up to date" : spoken(seconds())}\n`);
  } catch (error) {
    clearLine(out);
    out.write(`✗ ${step.name}: ${step.title}, failed after ${spoken(seconds())}\n`);
    throw error;
  } finally {
    clearInterval(clock);
  }
}

export function expectation({ seconds, basis }: Estimate): string {
  return basis === "measured" ? `${spoken(seconds)} the last time` : `a guess, not measured here: ${spoken(seconds)}`;
}

/** What a step said of its work. */
export interface Heard {
  /** From 0 to 1. */
  share: number;
  /** Seconds after the step's start at which none of it was done. */
  since: number;
}

/** A smaller share, or one of less time, tells little of the speed. */
const [TELLING_SHARE, TELLING_SECONDS] = [0.02, 10];

/** `kube: 2 min 10 s, 24 % done, about 7 min 20 s left`: at the speed so far, if it says how much is done. Otherwise what is left of the
 * estimate; after the estimated time, only that it takes longer. */
export function ahead(name: string, seconds: number, estimate: Estimate, heard?: Heard): string {
  const worked = heard ? seconds - heard.since : 0;
  if (heard && heard.share >= TELLING_SHARE && worked >= TELLING_SECONDS) {
    const { share } = heard;
    return `${name}: ${spoken(seconds)}, ${Math.floor(share * 100)} % done, ${remaining((worked / share) * (1 - share))}`;
  }
  const left = estimate.seconds - seconds;
  return `${name}: ${spoken(seconds)}, ${left > 0 ? remaining(left) : `longer than the ${spoken(estimate.seconds)} expected`}`;
}

function remaining(seconds: number): string {
  return seconds < 1 ? "almost done" : `about ${spoken(seconds)} left`;
}

function clearLine(out: NodeJS.WriteStream): void {
  if (out.isTTY) out.write("\r\x1b[K");
}
