// The views of several nodes as one.
import { sorted, type View } from "../../agent/observe/inspect/table.ts";
import type { NodeView, Row } from "./ask-nodes.ts";
import { frontendName, type Names, named, namesIn } from "./names.ts";

/** Columns whose values are known only within a node: they are left out of the common view, because its rows would never be equal. */
const OF_A_NODE: Readonly<Record<string, readonly string[]>> = {
  services: ["id", "local"],
  backends: ["id"],
  endpoints: ["ifindex", "mac"],
  announcements: ["ifindex"],
};

/** Columns that are about the address itself: it stays, beside its name. */
const ABOUT_ADDRESS = ["frontend", "address"];

/** A row with names in place of addresses. */
function forPeople(kind: string, node: string, row: Row, names: Names): Row {
  const cells = Object.entries(row).filter(([column]) => !OF_A_NODE[kind]?.includes(column));
  const shown: Row = Object.fromEntries(cells.map(([column, value]) => [column, cellText(column, value, names)]));
  if (kind === "services") return { service: without("service/", frontendName(String(row.frontend), names)), ...shown };
  if (kind === "endpoints") return { pod: without("pod/", names.address(String(row.address))), ...shown };
  if (kind === "announcements") return { service: without("service/", names.address(String(row.address))), ...shown };
  if (kind === "backends" && row.node === "this node") return { ...shown, node: `node/${node}` };
  return shown;
}

function cellText(column: string, value: Row[string], names: Names): Row[string] {
  if (typeof value !== "string" || ABOUT_ADDRESS.includes(column)) return value;
  if (column === "backends") return named(value.replaceAll("(local only)", ""), names);
  // A pod has an address of each family.
  if (column === "of") return [...new Set(named(value, names).split(" "))].join(" ");
  return named(value, names);
}

/** The column's title says what it is. */
const without = (kind: string, name = "") => (name.startsWith(kind) ? name.slice(kind.length) : name);

/** One table: a row that several nodes have is in it once. */
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
  const rowsByCells = sorted(
    all.map(({ row, nodes }) => [
      ...columns.map((column) => row[column] ?? ""),
      everywhere(nodes) ? "all" : nodes.join(" "),
    ]),
  );
  return {
    columns: ["nodes", ...columns],
    rows: rowsByCells.map((row) => [row.at(-1) ?? "", ...row.slice(0, -1)]),
    empty: nothing(kind, views, answered.length),
  };
}

function nothing(kind: string, views: readonly NodeView[], answered: number): string {
  const what = kind === "bgp" ? "BGP sessions" : kind;
  if (kind === "connections") return "No connection matches.";
  if (views.length === 1) return `Node ${views[0]?.node} has no ${what}.`;
  return answered === views.length ? `No node has ${what}.` : `No node that answered has ${what}.`;
}

/** For programs: the answer of each node, unchanged, and the names of the addresses in it. */
export function inspection(kind: string, cluster: string, nodes: readonly NodeView[], names: Names) {
  const texts = nodes.flatMap(({ rows }) => rows.flatMap((row) => Object.values(row)));
  const known = texts.flatMap((value) => (typeof value === "string" ? namesIn(value, names) : []));
  return { cluster, view: kind, nodes, names: Object.fromEntries(known) };
}
