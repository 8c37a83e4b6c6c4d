// One line for each step: its purpose, its estimated duration, and its progress if it takes long. On standard
// error, because standard output is for results.
import { type DurationBook, type Estimate, spoken } from "./durations.ts";

export interface Step {
  name: string;
  /** A readable name of its result. */
  title: string;
  /** A guess of its duration, for the first run on this computer. */
  guessSeconds: number;
  /** Builds the result if it is missing. Returns a note about it; `fresh` means that nothing had to be done. */
  make(): Promise<{ fresh: boolean; note?: string }>;
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
  const clock = setInterval(
    () =>
      out.write(
        out.isTTY ? `\r  ${ahead(step.name, seconds(), estimate)} ` : `  ${ahead(step.name, seconds(), estimate)}\n`,
      ),
    out.isTTY ? 1000 : SIGN_OF_LIFE_SECONDS * 1000,
  );
  try {
    const { fresh, note } = await step.make();
    if (!fresh) book.record(step.name, seconds());
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

/** `kube: 2 min 10 s, about 7 min 20 s left`; after the estimated time, only that it takes longer. */
export function ahead(name: string, seconds: number, estimate: Estimate): string {
  const left = estimate.seconds - seconds;
  return `${name}: ${spoken(seconds)}, ${left > 0 ? `about ${spoken(left)} left` : `longer than the ${spoken(estimate.seconds)} expected`}`;
}

function clearLine(out: NodeJS.WriteStream): void {
  if (out.isTTY) out.write("\r\x1b[K");
}
