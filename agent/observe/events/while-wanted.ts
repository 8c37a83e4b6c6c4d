/** How often to check whether something is wanted: ms. */
const LOOK_MS = 1_000;

/** Runs something while it is wanted. @param begin starts it, and returns a function that ends it @returns ends it for good */
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
