/** The allowed word nearest to what was written, when it is near enough to be meant. */
export function nearest(written: string, allowed: readonly string[]): string | undefined {
  const ranked = allowed
    .map((word) => ({ word, distance: editDistance(written.toLowerCase(), word.toLowerCase()) }))
    .sort((a, b) => a.distance - b.distance);
  const best = ranked[0];
  return best && best.distance <= Math.max(1, Math.floor(best.word.length / 3)) ? best.word : undefined;
}

/** `; did you mean "verdict"?`, or nothing. */
export function didYouMean(written: string, allowed: readonly string[]): string {
  const word = nearest(written, allowed);
  return word ? `; did you mean "${word}"?` : "";
}

/** Insertions, deletions and substitutions between two words (Levenshtein, one row at a time). */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const substituted = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min((row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1, substituted));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
