/** Allowed intervals of the flow log, in seconds. */
export const SHORTEST_INTERVAL = 1;
export const LONGEST_INTERVAL = 3600;

/** Seconds of "15s", "5m", "1h", "5m0s"; undefined for another text, and for an interval that is not allowed. */
export function secondsOf(text: string): number | undefined {
  const [, hours = 0, minutes = 0, seconds = 0] = /^(?:(\d{1,6})h)?(?:(\d{1,6})m)?(?:(\d{1,6})s)?$/.exec(text) ?? [];
  const total = Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds);
  return total >= SHORTEST_INTERVAL && total <= LONGEST_INTERVAL ? total : undefined;
}
