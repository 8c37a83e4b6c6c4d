/** q, Q, Ctrl-C, Ctrl-D */
const ENDING: readonly number[] = [0x71, 0x51, 3, 4];

/** Calls `end` when `q` is pressed, or Ctrl-C, which a terminal in raw mode does not turn into a signal. @returns restores the terminal */
export function endOnKey(input: NodeJS.ReadStream, end: () => void): () => void {
  if (!input.isTTY) return () => {};
  const onKeys = (keys: Buffer) => {
    if (keys.some((key) => ENDING.includes(key))) end();
  };
  input.setRawMode(true);
  input.on("data", onKeys);
  return () => {
    input.off("data", onKeys);
    input.setRawMode(false);
    input.pause();
  };
}
