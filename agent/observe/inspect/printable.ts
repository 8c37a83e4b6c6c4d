/** A text of a user's without what a terminal would obey: a rule may have any name. */
export function printable(text: string): string {
  return text.replace(/\p{C}/gu, "\u{fffd}");
}
