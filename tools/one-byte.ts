const BEYOND_LATIN_1 = /[\u0100-\uffff]/;
const COMMENT = /^\s*(?:\/\/|\/?\*)/;

/**
 * A program in characters that V8 keeps in one byte each. Of a text with a single other character it keeps two bytes for every one, for as long as the
 * program runs: 3 MB more of an agent. esbuild escapes such characters in strings; in comments they become "?" here.
 * @throws Error if there is another one elsewhere, as in a regular expression
 */
export function inOneByte(program: string, file: string): string {
  if (!BEYOND_LATIN_1.test(program)) return program;
  const lines = program.split("\n").map((line, index) => {
    if (!BEYOND_LATIN_1.test(line)) return line;
    if (COMMENT.test(line)) return line.replaceAll(new RegExp(BEYOND_LATIN_1, "g"), "?");
    throw new Error(
      `${file}:${index + 1} has a character beyond Latin-1: write it as an escape (\\u2026). The line: ${line.trim().slice(0, 200)}`,
    );
  });
  return lines.join("\n");
}
