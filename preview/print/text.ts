import type { Preview } from "../document.ts";
import { flowsOutline } from "./flows.ts";
import {
  againstOutline,
  costOutline,
  expectationsOutline,
  indented,
  networkOutline,
  pathOutline,
  reachOutline,
  treeLines,
  warningsOutline,
} from "./sections.ts";

/** A preview for a terminal: the tree, then every section that has content. */
export function previewText(preview: Preview): string {
  const sections = [
    pathOutline,
    networkOutline,
    costOutline,
    reachOutline,
    againstOutline,
    flowsOutline,
    expectationsOutline,
    warningsOutline,
  ].map((outline) => outline(preview));
  const chapters = sections
    .filter(({ lines }) => lines.length > 0)
    .flatMap(({ title, lines }) => ["", title, ...lines.map(indented)]);
  return `${[...treeLines(preview), ...chapters].join("\n")}\n`;
}
