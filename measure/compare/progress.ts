import type { Telling } from "../../verify/terminal.ts";

/** Reports the progress of work with a known number of steps. */
export interface Progress {
  note(text: string): void;
  /** The next step begins. */
  step(text: string): void;
}

export function progressOf(steps: number, { note, now }: Telling): Progress {
  const started = performance.now();
  let done = 0;
  return { note, step: (text) => now(progressLine(text, done++, steps, performance.now() - started)) };
}

/** `13/105 eBPF, DSR: 1 min 3 s, about 8 min to go`. @param done steps that are finished */
export function progressLine(text: string, done: number, steps: number, milliseconds: number): string {
  const left = done > 2 ? `, about ${spoken((milliseconds / done) * (steps - done))} to go` : "";
  return `${done + 1}/${steps} ${text}: ${spoken(milliseconds)}${left}`;
}

function spoken(milliseconds: number): string {
  const seconds = Math.round(milliseconds / 1000);
  return seconds < 60 ? `${seconds} s` : `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
}
