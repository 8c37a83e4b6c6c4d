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

/** Colours on terminals (no-color.org), none in files and logs. */
export function colorsFor(stream: NodeJS.WriteStream): ReturnType<typeof pc.createColors> {
  return pc.createColors(Boolean(stream.isTTY) && !process.env.NO_COLOR && process.env.TERM !== "dumb");
}

/** Columns of a terminal; a program that shows another one's output passes its own in COLUMNS. Files and logs have none. */
export function widthOf(stream: NodeJS.WriteStream): number | undefined {
  return stream.columns ?? (Number(process.env.COLUMNS) || undefined);
}
