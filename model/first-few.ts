const NAMED = 3;

/** The first of many names, for a message: "a, b, c and 2 more". */
export function firstFew(names: readonly string[]): string {
  const more = names.length > NAMED ? ` and ${names.length - NAMED} more` : "";
  return `${names.slice(0, NAMED).join(", ")}${more}`;
}
