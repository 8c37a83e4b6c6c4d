import type { Preview } from "../document.ts";
import { flowsOutline } from "./flows.ts";
import {
  againstOutline,
  costOutline,
  expectationsOutline,
  networkOutline,
  pathOutline,
  reachOutline,
  type Section,
  treeLines,
  warningsOutline,
} from "./sections.ts";

/** A GitHub comment is limited to 65,536 characters; the tree is the part that grows. */
const LONGEST_TREE = 400;

/** A preview as Markdown for a pull request comment: changes and problems first, the rest folded. */
export function previewMarkdown(preview: Preview): string {
  const first = [againstOutline, flowsOutline, expectationsOutline, warningsOutline].map((outline) =>
    listed(outline(preview)),
  );
  const rest = [pathOutline, reachOutline, costOutline, networkOutline].map((outline) => folded(outline(preview)));
  const tree = treeLines(preview);
  const more = tree.length > LONGEST_TREE ? [`… and ${tree.length - LONGEST_TREE} more`] : [];
  const resources = { title: `${tree.length} resources`, lines: [...tree.slice(0, LONGEST_TREE), ...more] };
  const heading = `### Preview of stack ${escaped(preview.stack)} (${escaped(preview.project)})`;
  return `${[heading, ...first, ...rest, folded(resources)].filter((part) => part !== "").join("\n\n")}\n`;
}

/** A list; an indented line belongs to the previous one. */
function listed({ title, lines }: Section): string {
  if (lines.length === 0) return "";
  const items = lines.map((line) => (line.startsWith(" ") ? `  ${escaped(line.trim())}` : `- ${escaped(line)}`));
  return [`**${escaped(title)}**`, "", ...items].join("\n");
}

function folded({ title, lines }: Section): string {
  if (lines.length === 0) return "";
  // Longer than any run of backquotes inside, so that no name can end the block.
  const runs = lines.join("\n").match(/`+/g) ?? [];
  const fence = "`".repeat(Math.max(3, ...runs.map(({ length }) => length + 1)));
  const summary = `<details><summary>${escaped(title)}</summary>`;
  return [summary, "", `${fence}text`, ...lines, fence, "", "</details>"].join("\n");
}

/** Names come from programs: their characters must not become markup. */
function escaped(text: string): string {
  return text
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replace(/[\\`*_[\]|~#@]/g, (character) => (character === "@" ? "&#64;" : `\\${character}`));
}
