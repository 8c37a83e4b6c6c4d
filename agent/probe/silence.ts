/**
 * Calls back after so many milliseconds, but only when what arrived in the meantime has been read. A process that got no
 * processor for a while has its answers waiting and its timers due, and Node looks at timers first.
 *
 * @returns a function that calls it off
 */
export function afterSilence(milliseconds: number, act: () => void): () => void {
  let pending: NodeJS.Immediate | undefined;
  const timer = setTimeout(() => {
    pending = setImmediate(act);
  }, milliseconds);
  return () => {
    clearTimeout(timer);
    clearImmediate(pending);
  };
}
