import type { Route } from "../compile/desired.ts";
import { ipBatch, ipJson, ipJsonSoon } from "./ip-command.ts";
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

/** Configures the kernel to keep the hardware addresses of nodes on this node's links resolved (NTF_EXT_MANAGED, since Linux
 * 5.16). The packet path accepts the address of a routed workload only in a frame of its node (bpf/policy/source.h), and does
 * not resolve neighbors itself. Returns the number of written entries. */
export async function reconcileNeighbours(routes: readonly Route[], uplinks: Uplinks): Promise<number> {
  const commands = neighbourCommands(routes, uplinks, await ipJsonSoon<NeighbourEntry>("neighbour", "show"));
  ipBatch(commands);
  return commands.length;
}

/** Deletes the entries that the agent wrote. */
export function removeNeighbours(): void {
  const ours = ipJson<NeighbourEntry>("neighbour", "show").filter(isOurs);
  ipBatch(ours.map(({ dst, dev }) => `neighbour delete ${dst} dev ${dev}`));
}

/** The commands that change `actual` to the entries that the routes need. Nodes behind a router are not on this node's links. Permanent
 * entries (static ARP) are resolved already and are not changed. */
export function neighbourCommands(
  routes: readonly Route[],
  uplinks: Uplinks,
  actual: readonly NeighbourEntry[],
): string[] {
  const wanted = new Map<string, string>();
  const nodes = routes.flatMap((route) => (route.to === "node" ? [route.node, route.via ?? route.node] : []));
  for (const node of nodes) {
    const device = deviceTowards(uplinks, node);
    if (device) wanted.set(`${node} dev ${device}`, `neighbour replace ${node} dev ${device}`);
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
