// Text that fits the terminal, and the columns of a table in it.
import { stripVTControlCharacters } from "node:util";

/** Columns of a terminal; a program that shows another one's output passes its own in COLUMNS. Files and logs have none. */
export function widthOf(stream: NodeJS.WriteStream): number | undefined {
  return stream.columns ?? (Number(process.env.COLUMNS) || undefined);
}

/** Widths of columns that together have `total` characters: narrow ones keep what they need, the others share what is left. */
export function sharedWidths(needed: number[], total: number): number[] {
  const widths = new Map<number, number>();
  let [left, open] = [total, needed.map((_, index) => index)];
  while (open.length > 0) {
    const share = Math.max(1, Math.floor(left / open.length));
    const narrow = open.filter((index) => (needed[index] ?? 0) <= share);
    for (const index of narrow.length > 0 ? narrow : open) {
      const width = Math.min(needed[index] ?? 0, share);
      widths.set(index, width);
      left -= width;
    }
    open = open.filter((index) => !widths.has(index));
  }
  return needed.map((_, index) => widths.get(index) ?? 0);
}

export const longestLine = (text: string): number => Math.max(...text.split("\n").map((line) => line.length));

/** Lines of at most `width` characters: broken at spaces, else behind a separator of names and addresses, else anywhere. */
export function wrapped(text: string, width: number): string {
  return text
    .split("\n")
    .flatMap((line) => wrappedLine(line, width))
    .join("\n");
}

function wrappedLine(line: string, width: number): string[] {
  const lines = [""];
  for (const part of line
    .split(" ")
    .flatMap((word) => pieces(word, width).map((piece, index) => (index === 0 ? ` ${piece}` : piece)))) {
    const last = lines.at(-1) ?? "";
    const joined = last === "" ? part.trimStart() : `${last}${part}`;
    if (joined.length <= width) lines[lines.length - 1] = joined;
    else lines.push(part.trimStart());
  }
  return lines;
}

function pieces(word: string, width: number): string[] {
  const all: string[] = [];
  let rest = word;
  while (rest.length > width) {
    const at = Math.max(...["/", ":", "=", ",", "-", "."].map((mark) => rest.lastIndexOf(mark, width - 1) + 1));
    const end = at > 0 ? at : width;
    all.push(rest.slice(0, end));
    rest = rest.slice(end);
  }
  return [...all, rest];
}

/** A text of which no line is longer than `width`, where words allow it: what is broken off stands below the last column that begins in
 * the left half of the terminal, else a little behind the line's beginning.
 * @param width absent: as it is, for files and other programs */
export function hanging(text: string, width: number | undefined): string {
  return width === undefined
    ? text
    : text
        .split("\n")
        .map((line) => hangingLine(line, width))
        .join("\n");
}

function hangingLine(line: string, width: number): string {
  const visible = (part: string) => stripVTControlCharacters(part).length;
  if (visible(line) <= width) return line;
  const words = [...line.matchAll(/ *[^ ]+/g)].map(([word]) => word);
  let [column, indent] = [0, 0];
  for (const [index, word] of words.entries()) {
    const start = column + (word.length - word.trimStart().length);
    if (index === 0) indent = Math.min(start + 2, width / 2);
    else if (word.startsWith("  ") && start <= width / 2) indent = start;
    column += visible(word);
  }
  const lines = [words[0] ?? ""];
  for (const word of words.slice(1)) {
    const last = lines.length - 1;
    if (visible(`${lines[last]}${word}`) <= width) lines[last] += word;
    else lines.push(`${" ".repeat(indent)}${word.trimStart()}`);
  }
  return lines.join("\n");
}
