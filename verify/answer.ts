import { printable } from "../agent/observe/inspect/printable.ts";

/** Reads what a node said, as JSON. Who has broken into a node says what they like, and a terminal would obey it: here all of it is text. */
export function answerOf(text: string): unknown {
  try {
    return asText(JSON.parse(text));
  } catch (error) {
    // It quotes what could not be read.
    throw new Error(printable((error as Error).message));
  }
}

/** The same value, in which no string at any depth has anything that a terminal obeys, but for line breaks. */
export function asText<Value>(value: Value): Value {
  return cleaned(value) as Value;
}

function cleaned(value: unknown): unknown {
  if (typeof value === "string") return value.split("\n").map(printable).join("\n");
  if (Array.isArray(value)) return value.map(cleaned);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [printable(key), cleaned(inner)]));
}
