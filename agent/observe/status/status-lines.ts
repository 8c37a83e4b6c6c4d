import { firstFew } from "../../../model/first-few.ts";
import { WIREGUARD_PORT } from "../../kernel/layout.gen.ts";
import { asTable, type View } from "../inspect/table.ts";
import { wordsOf } from "../outcome-words.ts";
import { isSilent, type NodeStatus } from "./node-status.ts";

/** The state of nodes, as a table that fits 80 columns, then pools and refused packets. @param draw makes a table of a view */
export function statusLines(nodes: readonly NodeStatus[], draw: Drawing = asTable): string[] {
  const table = nodeTable(nodes, draw);
  return nodes.length === 0
    ? table
    : [
        ...table,
        "",
        ...poolTable(nodes, draw),
        ...hostLocalLine(nodes),
        ...encryptionLines(nodes),
        ...xdpLines(nodes),
        "",
        ...refusedLines(nodes, draw),
      ];
}

type Drawing = (view: View) => string;

function hostLocalLine(nodes: readonly NodeStatus[]): string[] {
  const names = nodes.filter(({ ipam }) => ipam === "HostLocal").map(({ node }) => node);
  if (names.length === 0) return [];
  const who = names.length === nodes.length ? "every node" : names.join(", ");
  return [`Pods of ${who} have addresses of its spec.podCIDRs alone (ipam HostLocal).`];
}

/** Which nodes encrypt, between which nodes nothing has been exchanged yet, and which do not answer. */
function encryptionLines(nodes: readonly NodeStatus[]): string[] {
  const encrypting = nodes.filter(({ encryption }) => encryption !== null);
  if (encrypting.length === 0) return [];
  const who = encrypting.length === nodes.length ? "every node" : encrypting.map(({ node }) => node).join(", ");
  return [
    `Packets between nodes are encrypted by ${who} (WireGuard).`,
    ...encrypting.flatMap(({ node, encryption }) => {
      const peers = encryption?.peers ?? [];
      const namesOf = (some: typeof peers) => firstFew(some.map((peer) => peer.node));
      const silent = peers.filter(isSilent);
      const unasked = peers.filter((peer) => peer.handshakeSecondsAgo === null && !isSilent(peer));
      const waiting = [
        ...(unasked.length > 0 ? [`  ${node}: no handshake yet with ${namesOf(unasked)}`] : []),
        ...(silent.length > 0
          ? [`  ${node}: no answer, ever, from ${namesOf(silent)}: does UDP ${WIREGUARD_PORT} pass?`]
          : []),
      ];
      const without = encryption?.without ?? [];
      const closed = without.length > 0 ? [`  ${node}: sends nothing to ${firstFew(without)}, which has no key`] : [];
      return [...waiting, ...closed];
    }),
  ];
}

/** Where XDP runs, and why it does not. */
function xdpLines(nodes: readonly NodeStatus[]): string[] {
  const uplinks = nodes.flatMap(({ node, xdp }) => (xdp ?? []).map((one) => ({ node, ...one })));
  if (uplinks.length === 0) return [];
  const unfit = Map.groupBy(uplinks, ({ reason }) => reason);
  const count = unfit.get(null)?.length ?? 0;
  unfit.delete(null);
  if (unfit.size === 0) return ["XDP runs in the driver of every uplink."];
  const where = count === 0 ? "the driver of no uplink" : `the drivers of ${count} of ${uplinks.length} uplinks`;
  return [
    `XDP runs in ${where}; these are handled at tc:`,
    ...[...unfit].map(
      ([reason, ones]) => `  ${firstFew(ones.map(({ node, uplink }) => `${node} ${uplink}`))}: ${reason}`,
    ),
  ];
}

function nodeTable(nodes: readonly NodeStatus[], draw: Drawing): string[] {
  const columns = ["node", "synced", "pods", "services", "replies", "mtu", "attach", "kernel"];
  const rows = nodes.map((one) => [
    one.node,
    one.syncedSecondsAgo === null ? "never" : `${Math.round(one.syncedSecondsAgo)} s ago`,
    one.endpoints,
    one.serviceHandling,
    one.returnMode,
    one.podMtu,
    one.attach,
    one.kernel.split("-")[0] ?? one.kernel,
  ]);
  return draw({ columns, rows, empty: "No agent answers." }).split("\n");
}

/** Every agent knows the use in the whole cluster; the agent that synced last knows it best. */
function poolTable(nodes: readonly NodeStatus[], draw: Drawing): string[] {
  const [newest] = nodes.toSorted((a, b) => (a.syncedSecondsAgo ?? Infinity) - (b.syncedSecondsAgo ?? Infinity));
  const columns = ["pool", "addresses", "used", "in blocks of nodes"];
  const rows = (newest?.pools ?? []).map(({ pool, cidr, all, used, claimed }) => [
    pool,
    cidr,
    `${used} (${percent(used, all)})`,
    `${claimed} (${percent(claimed, all)})`,
  ]);
  return draw({ columns, rows, empty: "There is no IPPool for pods." }).split("\n");
}

const percent = (part: number, whole: number) => `${whole > 0 ? Math.round((100 * part) / whole) : 0} %`;

function refusedLines(nodes: readonly NodeStatus[], draw: Drawing): string[] {
  const total = new Map<string, number>();
  for (const { refused } of nodes)
    for (const [name, packets] of Object.entries(refused)) total.set(name, (total.get(name) ?? 0) + packets);
  const since = nodes
    .map(({ countedSince }) => countedSince)
    .sort()
    .at(0);
  if (total.size === 0) return [`No packet was refused${since ? ` since ${minute(since)}` : ""}.`];
  const columns = ["refused packets", "why"];
  const rows = [...total]
    .sort((a, b) => b[1] - a[1])
    .map(([name, packets]) => [packets, `${wordsOf(name).text} (${name})`]);
  return [`Refused since ${minute(since ?? "")}:`, ...draw({ columns, rows, empty: "" }).split("\n")];
}

/** "2026-11-29 07:04 UTC" */
const minute = (time: string) => `${time.slice(0, 16).replace("T", " ")} UTC`;
