import type { NodeUse, PoolUse } from "../../../model/pool/use.ts";
import { readEvents } from "../events/client.ts";
import { asTable, type View } from "./table.ts";

/** The use of a pool as the agent's socket gives it. */
export interface PoolUseLine extends Omit<PoolUse, "byNode" | "byNamespace"> {
  readonly nodes: readonly (NodeUse & { readonly node: string })[];
  readonly namespaces: readonly { readonly namespace: string; readonly used: number }[];
}

export function poolUseLine({ byNode, byNamespace, ...rest }: PoolUse): PoolUseLine {
  return {
    ...rest,
    nodes: [...byNode].map(([node, counts]) => ({ node, ...counts })),
    namespaces: [...byNamespace].map(([namespace, used]) => ({ namespace, used })),
  };
}

/** One row for each pool, node in it and namespace in it. */
export function poolUseView(lines: readonly PoolUseLine[]): View {
  const rows = lines.flatMap(({ pool, cidr, all, claimed, used, wrapping, nodes, namespaces }) => [
    [pool, cidr, share(used, all), share(claimed, all), wrapping],
    ...nodes
      .toSorted(compareBy("node"))
      .map((one) => [pool, nodeText(one), share(one.used, one.claimed), one.claimed, ""]),
    ...namespaces.toSorted(compareBy("namespace")).map((one) => [pool, `namespace ${one.namespace}`, one.used, "", ""]),
  ]);
  return { columns: ["pool", "of", "used", "claimed", "between nodes"], rows, empty: "There is no IPPool for pods." };
}

/** "node a", with ipam HostLocal "node a, podCIDR 10.244.1.0/24" */
function nodeText({ node, podCidr }: PoolUseLine["nodes"][number]): string {
  return `node ${node || "(none)"}${podCidr === undefined ? "" : `, podCIDR ${podCidr}`}`;
}

/** "3 of 64 (5 %)"; of an IPv6 pool "3 of 2^72 (0 %)" */
function share(part: number, whole: number): string {
  const percent = whole > 0 ? ` (${Math.round((100 * part) / whole)} %)` : "";
  return `${part} of ${whole > Number.MAX_SAFE_INTEGER ? `2^${Math.log2(whole)}` : whole}${percent}`;
}

function compareBy<K extends string>(key: K) {
  return (a: Readonly<Record<K, string>>, b: Readonly<Record<K, string>>) => (a[key] < b[key] ? -1 : 1);
}

/** Asks this node's agent how many addresses of each pool are in use in the cluster, as the agent knows it. */
export async function printPoolUse(options: { readonly json?: boolean; readonly runDirectory: string }): Promise<void> {
  const lines: PoolUseLine[] = [];
  const take = (line: unknown) => void lines.push(line as PoolUseLine);
  await readEvents(options.runDirectory, "/ipam", take, new AbortController().signal);
  if (options.json) for (const line of lines) console.log(JSON.stringify(line));
  else console.log(asTable(poolUseView(lines)));
}
