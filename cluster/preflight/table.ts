import Table from "cli-table3";
import type { Finding, Severity } from "./finding.ts";

const WORD: Record<Severity, string> = { ok: "ok", warning: "WARNING", refused: "REFUSED" };
/** Maximum number of node names in a cell. */
const NAMED = 3;
/** Width of columns. */
const [NARROW, WIDE] = [18, 64];
/** Of the other columns and all borders. */
const BESIDE = 2 * NARROW + 14;

/** The findings as a table, each followed by its next step. @param columns of the terminal */
export function renderFindings(findings: Finding[], columns = BESIDE + WIDE): string {
  const table = new Table({
    head: ["", "what", "where", "found"],
    style: { head: [], border: [] },
    colWidths: [null, NARROW, NARROW, Math.max(NARROW, Math.min(WIDE, columns - BESIDE))],
    wordWrap: true,
    chars: { mid: "", "left-mid": "", "mid-mid": "", "right-mid": "" },
  });
  for (const { severity, check, nodes, found, next } of findings) {
    table.push([WORD[severity], check, nodeNames(nodes), next ? `${found}\nnext: ${next}` : found]);
  }
  return table.toString();
}

function nodeNames(nodes: string[]): string {
  if (nodes.length === 0) return "cluster";
  const more = nodes.length - NAMED;
  return more > 0 ? `${nodes.slice(0, NAMED).join(", ")} and ${more} more` : nodes.join(", ");
}
