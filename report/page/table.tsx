import type { ComponentChildren } from "preact";

export interface Column {
  head: string;
  number?: boolean;
}

interface TableProps {
  caption: string;
  columns: Column[];
  /** The first cell of a row is its heading. */
  rows: ComponentChildren[][];
  /** On a narrow screen each row becomes a block, instead of a table that scrolls sideways. */
  stack?: boolean;
}

export function Table({ caption, columns, rows, stack }: TableProps) {
  const table = (
    <table class={stack ? "stack" : undefined}>
      <caption>{caption}</caption>
      <Head columns={columns} />
      <tbody>
        {rows.map((row) => (
          <Cells columns={columns} row={row} />
        ))}
      </tbody>
    </table>
  );
  return <Scrolling label={caption}>{table}</Scrolling>;
}

/** What is wider than the screen scrolls by itself, by keyboard too. */
export function Scrolling({ label, children }: { label: string; children: ComponentChildren }) {
  return (
    // biome-ignore lint/a11y/useSemanticElements: a section would be one more landmark of the page's order
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard
    <div class="scroll" role="group" aria-label={label} tabIndex={0}>
      {children}
    </div>
  );
}

export function Head({ columns }: { columns: Column[] }) {
  return (
    <thead>
      <tr>
        {columns.map(({ head, number }) => (
          <th scope="col" class={number ? "number" : undefined}>
            {head}
          </th>
        ))}
      </tr>
    </thead>
  );
}

export function Cells({ columns, row: [first, ...others] }: { columns: Column[]; row: ComponentChildren[] }) {
  return (
    <tr>
      <th scope="row">{first}</th>
      {others.map((cell, index) => (
        <td class={columns[index + 1]?.number ? "number" : undefined} data-head={columns[index + 1]?.head}>
          {cell}
        </td>
      ))}
    </tr>
  );
}
