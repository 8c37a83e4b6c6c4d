// One line a step: what is done, how long it should take, and, while it takes long, how far it is. On standard error,
// because standard output belongs to results.
import { type DurationBook, type Estimate, spoken } from "./durations.ts";

export interface Step {
  name: string;
  /** What it makes, as a reader of the terminal would say it. */
  title: string;
  /** First guess of its duration, before it was measured on this computer. */
  guessSeconds: number;
  /** Makes what is missing. Returns a word on what it found or made; `fresh` says that nothing had to be done. */
  make(): Promise<{ fresh: boolean; note?: string }>;
  /** True when `make` will find its work done; decides only what is announced. */
  fresh(): boolean;
}

/** Without a terminal, a sign of life every so often: continuous integration gives up on silent jobs. */
const SIGN_OF_LIFE_SECONDS = 30;

/** @param options `quiet`: only failures and what takes long are told */
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

/** `kube: 2 min 10 s, about 7 min 20 s to go`; past the estimate it says only that. */
export function ahead(name: string, seconds: number, estimate: Estimate): string {
  const left = estimate.seconds - seconds;
  return `${name}: ${spoken(seconds)}, ${left > 0 ? `about ${spoken(left)} to go` : `longer than the ${spoken(estimate.seconds)} expected`}`;
}

function clearLine(out: NodeJS.WriteStream): void {
  if (out.isTTY) out.write("\r\x1b[K");
}
