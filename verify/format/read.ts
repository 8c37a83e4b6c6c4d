import { LineCounter, parseAllDocuments } from "yaml";
import { type Check, checkSchema } from "../../components/documents/check.ts";

/** A check file that cannot be used; the message has one line per problem, each with its place. */
export class CheckFileError extends Error {}

/**
 * Reads the checks of one file: YAML (JSON is YAML too), one check per document, with merge keys (`<<`) as kubectl knows them.
 *
 * @param file its name in messages
 */
export function readChecks(text: string, file: string): Check[] {
  const lines = new LineCounter();
  const documents = parseAllDocuments(text, { lineCounter: lines, merge: true });
  const filled = Array.isArray(documents) ? documents.filter((document) => document.contents !== null) : [];
  if (filled.length === 0) throw new CheckFileError(`${file}: is empty; a check has name, setup and steps`);

  return filled.map((document) => {
    const wrong = document.errors[0];
    if (wrong) throw new CheckFileError(`${file}: ${wrong.message}`);
    const parsed = checkSchema.safeParse(document.toJS(), { reportInput: true });
    if (parsed.success) return parsed.data;
    const problems = parsed.error.issues.map((issue) => {
      const at = position(document, issue.path, lines);
      return `${file}${at}: ${fieldPath(issue.path)}${issue.message}${received(issue)}`;
    });
    throw new CheckFileError(problems.join("\n"));
  });
}

/** `steps[0].expect[1].verdict: `, or nothing for the whole document. */
function fieldPath(path: PropertyKey[]): string {
  const written = path.reduce<string>(
    (text, part) => (typeof part === "number" ? `${text}[${part}]` : `${text}${text && "."}${String(part)}`),
    "",
  );
  return written && `${written}: `;
}

/** The current value, unless the message quotes it already. */
function received({ code, input, message }: { code?: string; input?: unknown; message: string }): string {
  if (code === "unrecognized_keys") return "";
  if (input === undefined) return " (it is missing)";
  const written = JSON.stringify(input);
  // What a rule between fields is about, it says itself: the input is what was made of all of them.
  if (code === "custom" && typeof input === "object") return "";
  if ((typeof input === "string" && message.includes(written)) || message.endsWith(`, not ${written}`)) return "";
  if (written.length > 80) return "";
  return `, not ${written}`;
}

interface Positioned {
  getIn(path: unknown[], keepScalar: boolean): unknown;
}

/** `:12:9`, of the field or of its nearest existing parent. */
function position(document: Positioned, path: PropertyKey[], lines: LineCounter): string {
  for (let length = path.length; length >= 0; length--) {
    const node = length === 0 ? undefined : document.getIn(path.slice(0, length), true);
    const range = (node as { range?: [number, number, number] } | undefined)?.range;
    if (!range) continue;
    const { line, col } = lines.linePos(range[0]);
    return `:${line}:${col}`;
  }
  return "";
}
