import type { Problem } from "../../model/problem.ts";

/** A table that can be full. */
export interface Table {
  readonly name: string;
  readonly entries: number;
  readonly capacity: number;
}

/** Fractions of the capacity. A table is reported from the first on until it is below the second, so that a table at the limit is not
 * reported again and again. */
export const NEARLY_FULL = 0.9;
const ROOM_AGAIN = 0.8;

const CONNECTIONS = "bpfMapSizeConntrack";
const ENDPOINTS = "bpfMapSizeNATBackend";

interface Meaning {
  /** What it holds. */
  readonly of: string;
  /** What happens when it is full. */
  readonly full: string;
  readonly next: string;
}

const larger = (field: string) => `set ${field} of FelixConfiguration to more`;
const NOT_WRITTEN = "entries that do not fit are reported and left out; existing ones keep working";

const MEANINGS: Readonly<Record<string, Meaning>> = {
  proven: {
    of: "TCP and SCTP connections",
    full: "new connections are refused (drop_connection_table_full) and established ones live",
    next: `see who opens them (inspect connections), or ${larger(CONNECTIONS)}`,
  },
  unproven: {
    of: "UDP flows and forwarded connections",
    full: "those that have been idle for longest make room",
    next: `see who opens them (inspect connections), or ${larger(CONNECTIONS)}`,
  },
  half_open: {
    of: "connections that are not established",
    full: "the oldest of them make room",
    next: "look for a flood (make watch)",
  },
  frontends: { of: "addresses and ports of Services", full: NOT_WRITTEN, next: larger("bpfMapSizeNATFrontend") },
  slots: { of: "endpoints of Services and Maglev tables", full: NOT_WRITTEN, next: larger(ENDPOINTS) },
  members: { of: "endpoints of Services", full: NOT_WRITTEN, next: larger(ENDPOINTS) },
  backends: { of: "different endpoints", full: NOT_WRITTEN, next: larger(ENDPOINTS) },
};

/** Which tables are nearly full, as problems of the node. */
export class TableFill {
  readonly #node: string;
  readonly #reported = new Set<string>();

  constructor(node: string) {
    this.#node = node;
  }

  problems(tables: readonly Table[]): Problem[] {
    for (const { name, entries, capacity } of tables) {
      if (entries >= capacity * NEARLY_FULL) this.#reported.add(name);
      else if (entries < capacity * ROOM_AGAIN) this.#reported.delete(name);
    }
    return tables.filter(({ name }) => this.#reported.has(name)).map((table) => this.#problem(table));
  }

  // Without the number of entries: one Event for one state.
  #problem({ name, capacity }: Table): Problem {
    const { of, full, next } = MEANINGS[name] ?? { of: name, full: NOT_WRITTEN, next: "use fewer" };
    const message = `the table "${name}" (${of}) is nearly full, of ${capacity} entries. When it is, ${full}. Next: ${next}.`;
    return { kind: "Node", name: this.#node, path: "status", message };
  }
}
