import type { View } from "../../agent/observe/inspect/table.ts";
import { longestLine, sharedWidths, wrapped } from "../../components/program/fit.ts";

/** Between two columns. */
const GAP = 2;

/** The same view for a terminal of so many columns: if it is too wide, without columns that are empty, and with cells of several lines.
 * @param width absent: as wide as it is, for files and other programs */
export function fitted(view: View, width: number | undefined): View {
  if (width === undefined || widthOf(view) <= width) return view;
  const { columns, rows } = withoutEmpty(view);
  const room = Math.max(width, columns.length * (LEAST + GAP)) - GAP * (columns.length - 1);
  const widths = sharedWidths(neededBy({ columns, rows }), room);
  const inCell = (cell: string | number, index: number) => wrapped(String(cell), widths[index] ?? LEAST);
  return { ...view, columns: columns.map(inCell), rows: rows.map((row) => row.map(inCell)) };
}

/** A narrower column would not be readable. */
const LEAST = 4;

type Cells = Pick<View, "columns" | "rows">;

function neededBy({ columns, rows }: Cells): number[] {
  const longest = (head: string, index: number) =>
    rows.reduce((most, row) => Math.max(most, longestLine(String(row[index] ?? ""))), head.length);
  return columns.map(longest);
}

function widthOf(view: Cells): number {
  return neededBy(view).reduce((sum, width) => sum + width + GAP, -GAP);
}

function withoutEmpty({ columns, rows }: Cells): Cells {
  const kept = columns.map((_, index) => rows.some((row) => row[index] !== ""));
  return {
    columns: columns.filter((_, index) => kept[index]),
    rows: rows.map((row) => row.filter((_, at) => kept[at])),
  };
}
