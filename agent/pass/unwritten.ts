import { firstFew } from "../../model/first-few.ts";
import type { Problem } from "../../model/problem.ts";
import type { Logger } from "../observe/log.ts";
import type { WriteProblem } from "../reconcile/reconciler.ts";

const POLICIES = new Set<string>(["policies", "locations", "endpoints", "hostEndpoints"]);
const KEPT =
  "Pods and host endpoints keep the last version of their policies that was complete, connections too, and a new pod gets no traffic before its own is";
const OTHERS = "What was there before stays in force";

/** Failed writes, as a problem of the node for each table. Without the number of entries: one Event for one state. */
export function unwrittenProblems(node: string, problems: readonly WriteProblem[]): Problem[] {
  return [...Map.groupBy(problems, ({ map }) => map)].map(([map, list]) => {
    const owners = [...new Set(list.map(({ owner }) => withoutNumber(owner)))].sort();
    const full = list.some((problem) => problem.full);
    const why = full ? `the table "${map}" is full` : `the kernel refused it (${list[0]?.reason})`;
    const next = full ? "use fewer or simpler objects; the agent tries again" : "see the agent's log; it tries again";
    const message = `the table "${map}" lacks entries of ${firstFew(owners)}: ${why}. ${POLICIES.has(map) ? KEPT : OTHERS}. Next: ${next}.`;
    return { kind: "Node", name: node, path: "status", message };
  });
}

const LOGGED_AT_ONCE = 20;

/** Logs failed writes entry by entry: a failure that repeats at every retry is logged once, and of very many only the first. */
export class UnwrittenLog {
  readonly #log: Pick<Logger, "error">;
  #last = "";

  constructor(log: Pick<Logger, "error">) {
    this.#log = log;
  }

  log(problems: readonly WriteProblem[]): void {
    const lines = problems.map(({ map, owner, entry, count, reason }) => {
      const entries = count === 1 ? `its entry ${entry} is` : `${count} of its entries (${entry} …) are`;
      return `${owner}: ${entries} not in the map ${map}: ${reason}`;
    });
    const text = lines.join("\n");
    if (text === this.#last) return;
    this.#last = text;
    for (const line of lines.slice(0, LOGGED_AT_ONCE)) this.#log.error(line);
    if (lines.length > LOGGED_AT_ONCE) this.#log.error(`… and ${lines.length - LOGGED_AT_ONCE} more`);
  }
}

/** Without the number in the name of combined policies, which changes with each of them. */
function withoutNumber(owner: string): string {
  return owner.replace(/ \([0-9a-f]+\)$/, "");
}
