import type { Route } from "../compile/desired.ts";
import { ipBatch, ipJson } from "./ip-command.ts";
import { PROTOCOL } from "./routes.ts";
import { deviceTowards, type Uplinks } from "./uplinks.ts";

/** One line of `ip -json neighbour show`. */
export interface NeighbourEntry {
  readonly dst: string;
  readonly dev: string;
  readonly protocol?: string | number;
  readonly managed?: unknown;
  readonly state?: readonly string[];
}

/** Has the kernel keep the hardware addresses of the nodes on this node's own links known (NTF_EXT_MANAGED, since Linux 5.16).
 * The packet path believes a routed workload's address only in a frame of its node (bpf/policy/source.h), and does not ask
 * for neighbours itself. Returns how many entries were written. */
export function reconcileNeighbours(routes: readonly Route[], uplinks: Uplinks): number {
  const commands = neighbourCommands(routes, uplinks, ipJson<NeighbourEntry>("neighbour", "show"));
  ipBatch(commands);
  return commands.length;
}

/** Forgets the entries of ours. */
export function removeNeighbours(): void {
  const ours = ipJson<NeighbourEntry>("neighbour", "show").filter(isOurs);
  ipBatch(ours.map(({ dst, dev }) => `neighbour delete ${dst} dev ${dev}`));
}

/** The commands that lead from `actual` to what the routes need. Nodes behind a router are not on a link of ours; what somebody has
 * written down for good (static ARP) is known, and stays as it is. */
export function neighbourCommands(
  routes: readonly Route[],
  uplinks: Uplinks,
  actual: readonly NeighbourEntry[],
): string[] {
  const wanted = new Map<string, string>();
  for (const route of routes) {
    const device = route.to === "node" && deviceTowards(uplinks, route.node);
    if (device) wanted.set(`${route.node} dev ${device}`, `neighbour replace ${route.node} dev ${device}`);
  }
  const keys = (entries: readonly NeighbourEntry[]) => new Set(entries.map(({ dst, dev }) => `${dst} dev ${dev}`));
  const present = keys(actual.filter(isOurs));
  const fixed = keys(actual.filter(({ state }) => state?.includes("PERMANENT")));
  return [
    ...[...wanted]
      .filter(([key]) => !present.has(key) && !fixed.has(key))
      .map(([, line]) => `${line} managed protocol ${PROTOCOL}`),
    ...[...present].filter((key) => !wanted.has(key)).map((key) => `neighbour delete ${key}`),
  ];
}

function isOurs({ protocol, managed }: NeighbourEntry): boolean {
  return Number(protocol) === PROTOCOL && managed !== undefined;
}
