// The views of several nodes as one.
import type { View } from "../../agent/observe/inspect/table.ts";
import type { NodeView, Row } from "./ask-nodes.ts";
import { frontendName, type Names, named, namesIn } from "./names.ts";

/** What is known only within a node: left out of the view of all, whose rows would otherwise never be equal. */
const OF_A_NODE: Readonly<Record<string, readonly string[]>> = {
  services: ["id", "local"],
  backends: ["id"],
  endpoints: ["ifindex", "mac"],
};

/** Of the row of a view, with names in place of addresses. */
function forPeople(kind: string, node: string, row: Row, names: Names): Row {
  const cells = Object.entries(row).filter(([column]) => !OF_A_NODE[kind]?.includes(column));
  if (kind === "services") {
    const frontend = String(row.frontend);
    const texts = cells.map(([column, value]) => [column, column === "frontend" ? value : text(column, value, names)]);
    return { service: frontendName(frontend, names) ?? "", ...Object.fromEntries(texts) };
  }
  const texts = cells.map(([column, value]) => [column, text(column, value, names)]);
  const shown: Row = Object.fromEntries(texts);
  if (kind === "endpoints")
    return { pod: names.address(String(row.address)) ?? "", ...shown, address: row.address ?? "" };
  if (kind === "backends" && row.node === "this node") return { ...shown, node: `node/${node}` };
  return shown;
}

function text(column: string, value: Row[string], names: Names): Row[string] {
  if (typeof value !== "string") return value;
  return named(column === "backends" ? value.replaceAll("(local only)", "") : value, names);
}

/** One table: rows that several nodes have stand there once. */
export function mergedView(kind: string, views: readonly NodeView[], names: Names): View {
  const answered = views.filter(({ problem }) => !problem);
  const rows = new Map<string, { row: Row; nodes: string[] }>();
  for (const { node, rows: own } of answered) {
    for (const row of own.map((one) => forPeople(kind, node, one, names))) {
      const key = JSON.stringify(row);
      const same = rows.get(key) ?? { row, nodes: [] };
      if (same.nodes.at(-1) !== node) same.nodes.push(node);
      rows.set(key, same);
    }
  }
  const all = [...rows.values()];
  const columns = Object.keys(all[0]?.row ?? {});
  const everywhere = ({ length }: string[]) => length > 1 && length === answered.length;
  return {
    columns: ["nodes", ...columns],
    rows: all
      .map(({ row, nodes }) => [
        everywhere(nodes) ? "all" : nodes.join(" "),
        ...columns.map((column) => row[column] ?? ""),
      ])
      .toSorted((one, other) => compare(one.slice(1), other.slice(1)) || compare(one, other)),
    empty: `No node has ${kind}.`,
  };
}

function compare(one: readonly unknown[], other: readonly unknown[]): number {
  const [a, b] = [one.join("\0"), other.join("\0")];
  return a < b ? -1 : a > b ? 1 : 0;
}

/** For programs: what each node said, unchanged, and the names of the addresses in it. */
export function inspection(kind: string, cluster: string, nodes: readonly NodeView[], names: Names) {
  const texts = nodes.flatMap(({ rows }) => rows.flatMap((row) => Object.values(row)));
  const known = texts.flatMap((value) => (typeof value === "string" ? namesIn(value, names) : []));
  return { cluster, view: kind, nodes, names: Object.fromEntries(known) };
}
