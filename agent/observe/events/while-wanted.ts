/** How often it is asked whether something is wanted: ms. */
const LOOK_MS = 1_000;

/** Has something run while it is wanted. @param begin starts it, and returns what ends it @returns ends it for good */
export function whileWanted(isWanted: () => boolean, begin: () => () => void): () => void {
  let stop: (() => void) | undefined;
  const look = () => {
    if (isWanted()) stop ??= begin();
    else if (stop) {
      stop();
      stop = undefined;
    }
  };
  look();
  const timer = setInterval(look, LOOK_MS);
  timer.unref();
  return () => {
    clearInterval(timer);
    stop?.();
  };
}
