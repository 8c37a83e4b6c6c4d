const tickMs = 100;
/** Shorter stalls are not logged: a client that waits two seconds does not notice them. */
const lateMs = 250;

/** Logs after each stall how long this process had no CPU. @returns a function that ends it */
export function tellStalls(say: (line: string) => void): () => void {
  let last = performance.now();
  const timer = setInterval(() => {
    const now = performance.now();
    const late = Math.round(now - last - tickMs);
    last = now;
    if (late >= lateMs) say(`had no processor for ${late} ms`);
  }, tickMs);
  timer.unref();
  return () => clearInterval(timer);
}

/** The stall in a line of a server's log, ms; 0 for every other line. */
export function stalledMs(line: string): number {
  return Number(/^had no processor for (\d+) ms$/.exec(line)?.[1] ?? 0);
}
