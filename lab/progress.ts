import pc from "picocolors";

/** Reports phases of work as plain lines, for people and for logs. */
export interface Progress {
  /** Reports the start of `work`, runs it, and reports its duration. */
  phase<T>(title: string, work: () => Promise<T>): Promise<T>;
  note(text: string): void;
}

/** Lines on stderr: stdout is for the result. */
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

/** For callers that need no output, such as tests. */
export const silentProgress: Progress = { note: () => {}, phase: (_title, work) => work() };
