import { asText, printable } from "../model/printable.ts";

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
