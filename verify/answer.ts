import { printable } from "../agent/observe/inspect/printable.ts";

/** Reads what a node said, as JSON. Who has broken into a node says what they like, and a terminal would obey it: here all of it is text. */
export function answerOf(text: string): unknown {
  return JSON.parse(text, (_, value) => {
    if (typeof value === "string") return asText(value);
    if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
    const hasOther = Object.keys(value).some((key) => asText(key) !== key);
    return hasOther ? Object.fromEntries(Object.entries(value).map(([key, inner]) => [asText(key), inner])) : value;
  });
}

/** Lines stay lines. */
export const asText = (text: string): string => text.split("\n").map(printable).join("\n");
