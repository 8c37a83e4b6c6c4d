import { closest, distance } from "fastest-levenshtein";

/** The allowed word nearest to what was written, when it is near enough to be meant. */
export function nearest(written: string, allowed: readonly string[]): string | undefined {
  if (allowed.length === 0) return undefined;
  const inLowerCase = allowed.map((word) => word.toLowerCase());
  const best = allowed[inLowerCase.indexOf(closest(written.toLowerCase(), inLowerCase))];
  if (best === undefined) return undefined;
  const near = distance(written.toLowerCase(), best.toLowerCase()) <= Math.max(1, Math.floor(best.length / 3));
  // Two letters in the wrong order are two changes, and the slip that fingers make most.
  return near || letters(written) === letters(best) ? best : undefined;
}

function letters(word: string): string {
  return [...word.toLowerCase()].sort().join("");
}

/** `; did you mean "verdict"?`, or nothing. */
export function didYouMean(written: string, allowed: readonly string[]): string {
  const word = nearest(written, allowed);
  return word ? `; did you mean "${word}"?` : "";
}
