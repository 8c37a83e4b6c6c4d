import { printable } from "../agent/observe/inspect/printable.ts";

/** Reads a node's answer as JSON. An attacker who controls a node can send any text, and a terminal would obey control characters in it:
 * here all of it is plain text. */
export function answerOf(text: string): unknown {
  try {
    return asText(JSON.parse(text));
  } catch (error) {
    // The error quotes the text that could not be read.
    throw new Error(printable((error as Error).message));
  }
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
