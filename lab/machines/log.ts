import { existsSync, readFileSync } from "node:fs";

/** The end of a log, indented for a message, or a note that it is empty. */
export function lastLines(file: string, count = 15): string {
  const text = existsSync(file) ? readFileSync(file, "utf8").trim() : "";
  const lines = text === "" ? [`(${file} is empty)`] : text.split("\n").slice(-count);
  return lines.map((line) => `  ${line}`).join("\n");
}
