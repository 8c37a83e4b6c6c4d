/** A user's text without the control characters that a terminal would obey: a rule may have any name. */
export function printable(text: string): string {
  return text.replace(/\p{C}/gu, "\u{fffd}");
}
