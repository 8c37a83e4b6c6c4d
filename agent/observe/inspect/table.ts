import Table from "cli-table3";

/** The content of a view: named columns, and rows with one cell for each. */
export interface View {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly (string | number)[])[];
  /** Shown instead of an empty table. */
  readonly empty: string;
}

/** By the cells from left to right, numbers by their values: 10.0.0.9 is before 10.0.0.10. */
export function sorted<Row extends readonly (string | number)[]>(rows: readonly Row[]): Row[] {
  return rows
    .map((row) => ({ row, text: row.join("\0") }))
    .sort((one, other) => inOrder(one.text, other.text))
    .map(({ row }) => row);
}

const { compare: inOrder } = new Intl.Collator("en", { numeric: true });

/** A table without frames, for people. */
export function asTable({ columns, rows, empty }: View): string {
  if (rows.length === 0) return empty;
  const table = new Table({
    head: columns.map((column) => column.toUpperCase()),
    chars: NO_FRAME,
    style: { head: [], "padding-left": 0, "padding-right": 2 },
  });
  for (const row of rows) table.push([...row]);
  return table.toString().replace(/ +$/gm, "");
}

/** One object per row, keyed by column, for programs. */
export function asJson({ columns, rows }: View): string {
  return JSON.stringify(
    rows.map((row) => Object.fromEntries(columns.map((column, index) => [column, row[index]]))),
    null,
    2,
  );
}

const NO_FRAME = Object.fromEntries(
  ["top", "bottom", "left", "right"]
    .flatMap((side) => [side, `${side}-mid`, `${side}-left`, `${side}-right`])
    .concat("mid", "mid-mid", "left-mid", "right-mid", "middle")
    .map((place) => [place, ""]),
);
