// What verify.sh printed, by object.
export interface Judgement {
  verified: boolean;
  /** The verifier's last words, when it refused. */
  words: string;
}

/** Other lines, as a booting kernel prints, are passed over; so are the carriage returns of a serial line. */
export function judgements(printed: string): Record<string, Judgement> {
  const found: Record<string, Judgement> = {};
  let last: Judgement | undefined;
  for (const line of printed.split(/\r*\n/)) {
    const [, verdict, name] = /^(verified|refused) (\S+)$/.exec(line) ?? [];
    if (name) {
      last = { verified: verdict === "verified", words: "" };
      found[name] = last;
    } else if (last && line.startsWith("  ")) last.words += `${line.slice(2)}\n`;
  }
  return found;
}
