// Progress messages for a terminal or a log, on standard error, because standard output is for results.
import pc from "picocolors";

/** Which messages are printed. */
export interface Telling {
  /** A permanent line. */
  note(text: string): void;
  /** Progress: one line that changes on a terminal, an occasional line in a log. */
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
      if (isScreen(stream)) {
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

/** A terminal on which lines can be drawn again. */
export const isScreen = (stream: NodeJS.WriteStream): boolean => Boolean(stream.isTTY) && process.env.TERM !== "dumb";

/** Colours on terminals (no-color.org), none in files and logs. */
export function colorsFor(stream: NodeJS.WriteStream): ReturnType<typeof pc.createColors> {
  return pc.createColors(isScreen(stream) && !process.env.NO_COLOR);
}
