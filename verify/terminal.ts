// What a person at the terminal, or who reads a log, is told while something takes long: on standard error, because standard
// output belongs to results.
import pc from "picocolors";

/** How much is said. */
export interface Telling {
  /** A line that stays. */
  note(text: string): void;
  /** How far the work is: one line that changes on a terminal, a line now and then in a log. */
  now(text: string): void;
}

/** In a log, milliseconds between two lines about the same work. */
const logEveryMs = 10_000;

export function telling(quiet: boolean, stream: NodeJS.WriteStream = process.stderr): Telling {
  if (quiet) return { note: () => {}, now: () => {} };
  let last = performance.now();
  let open = false;
  const clear = (): void => {
    if (open) stream.write("\r\x1b[K");
    open = false;
  };
  return {
    note: (text) => {
      clear();
      last = performance.now();
      stream.write(`${text}\n`);
    },
    now: (text) => {
      if (stream.isTTY) {
        clear();
        stream.write(`  … ${text}`.slice(0, stream.columns - 1));
        open = true;
      } else if (performance.now() - last >= logEveryMs) {
        last = performance.now();
        stream.write(`  … ${text}\n`);
      }
    },
  };
}

/** Colours where a person looks (no-color.org), none in files and logs. */
export function colorsFor(stream: NodeJS.WriteStream): ReturnType<typeof pc.createColors> {
  return pc.createColors(Boolean(stream.isTTY) && !process.env.NO_COLOR && process.env.TERM !== "dumb");
}
