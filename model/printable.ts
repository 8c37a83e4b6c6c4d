/** A user's text without the control characters that a terminal would obey: a rule may have any name. */
export function printable(text: string): string {
  return text.replace(/\p{C}/gu, "\u{fffd}");
}

/** The same value, in which no string at any depth has characters that a terminal obeys, except line breaks. */
export function asText<Value>(value: Value): Value {
  return cleaned(value) as Value;
}

function cleaned(value: unknown): unknown {
  if (typeof value === "string") return value.split("\n").map(printable).join("\n");
  if (Array.isArray(value)) return value.map(cleaned);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [printable(key), cleaned(inner)]));
}
