import pc from "picocolors";

/** Where phases of work are told, as plain lines a person can follow and a log can keep. */
export interface Progress {
  /** Says that work begins, does it, and says how long it took. */
  phase<T>(title: string, work: () => Promise<T>): Promise<T>;
  note(text: string): void;
}

/** Lines on stderr: stdout belongs to the result. */
export function stderrProgress(label: string): Progress {
  const began = performance.now();
  const line = (text: string) => {
    const seconds = ((performance.now() - began) / 1000).toFixed(1).padStart(6);
    process.stderr.write(`${pc.dim(`${label} ${seconds}s`)}  ${text}\n`);
  };
  return {
    note: line,
    async phase(title, work) {
      const start = performance.now();
      line(`${title} ...`);
      const result = await work();
      line(`${title}: done in ${((performance.now() - start) / 1000).toFixed(1)} s`);
      return result;
    },
  };
}

/** For callers that want no lines, such as tests. */
export const silentProgress: Progress = { note: () => {}, phase: (_title, work) => work() };
