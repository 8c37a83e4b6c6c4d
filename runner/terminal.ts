import picocolors from "picocolors";
import type { Progress } from "./operation.ts";

/** Colours on a terminal (no-color.org), none in files and logs. */
export const pc = picocolors.createColors(
  process.stderr.isTTY === true && !process.env.NO_COLOR && process.env.TERM !== "dumb",
);

/** Set by --quiet. */
let quiet = false;
export const isQuiet = (): boolean => quiet;

/** From now on only failures are printed. */
export function beQuiet(): void {
  quiet = true;
}

/** Milliseconds between two reports about the same wait. */
const REPORT_EVERY = 10_000;

/** All messages go to stderr, so that stdout has results only. */
export function say(line: string): void {
  if (!quiet) complain(line);
}

/** Prints a failure, even with --quiet. */
export function complain(line: string): void {
  process.stderr.write(`${line}\n`);
}

/** Before each line of a command's output. */
const INDENT = "    ";

/** The variables that describe the terminal on which a command's indented output is shown; none if there is no terminal. */
export function columnsInside(): Record<string, string> {
  const { columns } = process.stderr;
  return columns === undefined ? {} : { COLUMNS: String(columns - `${INDENT}│ `.length) };
}

/** Reports one resource: periodically what it waits for, its output indented, its end with the duration. */
export class ResourceReport implements Progress {
  readonly #title: string;
  readonly #started = performance.now();
  #reported = performance.now();
  #status = "";

  constructor(title: string) {
    this.#title = title;
  }

  reportDue(): boolean {
    return performance.now() - this.#reported >= REPORT_EVERY;
  }

  waiting(status: string): void {
    const changed = status !== this.#status;
    this.#status = status;
    this.#reported = performance.now();
    say(pc.dim(`  … ${this.#title}: ${changed ? status : "no change"} (${this.#seconds()})`));
  }

  line(text: string): void {
    this.#reported = performance.now();
    say(`${INDENT}${pc.dim("│")} ${text}`);
  }

  done(): void {
    say(`  ${pc.green("✓")} ${this.#title.padEnd(60)} ${pc.dim(this.#seconds())}`);
  }

  #seconds(): string {
    return `${((performance.now() - this.#started) / 1000).toFixed(1)} s`;
  }
}
