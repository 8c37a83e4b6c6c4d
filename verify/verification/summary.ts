import { firstFew } from "../../model/first-few.ts";
import {
  type Findings,
  fails,
  type Row,
  type Seen,
  type VerificationResult,
} from "../../report/results/verification.ts";

/** The result as counts and a sentence. */
export function summarise(findings: Findings): VerificationResult {
  return { verdict: conclusionOf(findings), ...countsOf(findings.rows), ...findings };
}

/** How many rows hold, do not hold, and could not be decided. */
export function countsOf(rows: Row[]): Pick<VerificationResult, "passed" | "failed" | "undecided"> {
  const [passed, failed] = [rows.filter(({ pass }) => pass).length, rows.filter(fails).length];
  return { passed, failed, undecided: rows.length - passed - failed };
}

/** A verification in one sentence: how many hold; how many do not, with the first example; what is not known. */
export function conclusionOf({
  rows,
  problems,
  thresholds = [],
  skipped = [],
}: Pick<Findings, "rows" | "problems" | "thresholds" | "skipped">): string {
  const failing = rows.filter(fails);
  const undecided = rows.filter((row) => row.undecided !== undefined);
  const exceeded = thresholds.filter(({ pass }) => !pass);
  const parts = [rowsInWords(rows, failing, undecided.length)];
  if (undecided[0]) {
    const example = `${undecided[0].from} → ${undecided[0].to}: ${undecided[0].undecided}`;
    parts.push(`${counted(undecided.length, "row", "rows")} could not be decided: ${example}`);
  }
  if (exceeded[0])
    parts.push(`${counted(exceeded.length, "limit is", "limits are")} exceeded: ${limitInWords(exceeded[0])}`);
  if (skipped[0])
    parts.push(`${counted(skipped.length, "kind of case was", "kinds of cases were")} skipped: ${skipped[0].why}`);
  if (problems[0]) parts.push(`not everything is known: ${firstLine(problems[0].what)}`);
  return `${parts.join("; ")}.`;
}

function rowsInWords(rows: Row[], [first, ...others]: Row[], undecided: number): string {
  if (rows.length === 0) return "Nothing was judged";
  if (!first && undecided > 0) return `${rows.length - undecided} of ${counted(rows.length, "row holds", "rows hold")}`;
  if (!first) return [`${counted(rows.length, "row holds", "rows hold", "All ")}`, ...preserved(rows)].join(": ");
  const number = others.length + 1;
  const example = `${first.from} → ${first.to}, expected ${first.expected}, observed ${first.observed}`;
  return `${number} of ${counted(rows.length, "row", "rows")} ${number === 1 ? "does" : "do"} not hold: ${example}`;
}

/** So many addresses are no sentence. */
const MANY = 6;

/** The rows' common result for sources and replies, if there is one. */
function preserved(rows: Row[]): string[] {
  const seen = rows.flatMap((row) => row.seen ?? []).filter(({ source, clientAddress }) => source && clientAddress);
  if (seen.length === 0) return [];
  const clients = [...new Set(seen.flatMap(({ source }) => source ?? []))];
  const named = clients.length > MANY ? firstFew(clients) : clients.join(", ");
  const own = seen.every(({ source, clientAddress }) => source === clientAddress);
  const sources = own ? `servers saw the clients' own addresses (${named})` : `servers saw ${named}`;
  const replies = repliesInWords(seen);
  return [replies ? `${sources}, and ${replies}` : sources];
}

function repliesInWords(seen: Seen[]): string | undefined {
  const ways = new Set(seen.flatMap(({ reply }) => (reply && reply !== "onEntryNode" ? [reply] : [])));
  if (ways.size !== 1) return undefined;
  return ways.has("direct") ? "replies came directly" : "replies came through the entry node";
}

function limitInWords({ what, atMost, observed }: { what: string; atMost: number; observed?: number }): string {
  return `${what} is ${observed ?? "not known"}, allowed at most ${atMost}`;
}

function counted(number: number, one: string, several: string, all = ""): string {
  return number === 1 ? `1 ${one}` : `${all}${number} ${several}`;
}

const firstLine = (text: string): string => (text.split("\n")[0] ?? "").replace(/\.$/, "");
