const tickMs = 100;
/** Later than this is worth a line: a client that waits two seconds is not concerned by less. */
const lateMs = 250;

/** Says in a line of the log how long this process had no processor, each time that it has one again. @returns a function that ends it */
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

/** What a line of a server's log says of that; 0 for every other line. */
export function stalledMs(line: string): number {
  return Number(/^had no processor for (\d+) ms$/.exec(line)?.[1] ?? 0);
}
