import type { FlowEnd, FlowLogLine, FlowRecord, IntervalRecord } from "./record.ts";

/** One flow as all nodes saw it over the whole log. */
export interface SeenFlow extends Pick<FlowRecord, "from" | "to" | "protocol" | "port" | "icmp"> {
  readonly service?: string;
  /** Connections that were allowed from end to end. */
  readonly connections: number;
  /** Packets that a policy denied. */
  readonly packetsDenied: number;
  /** What denied them. */
  readonly policies: readonly string[];
  /** Milliseconds since 1970: when it was allowed last, or denied if it never was allowed. */
  readonly last: number;
  /** The sender is a node, and the receiver one of its own pods: no policy is asked. */
  readonly isOwnNode: boolean;
  /** Which ends are on the node that reports it; absent: not the same in all lines. */
  readonly at?: FlowRecord["at"];
  /** Who reports it, and which ends are there. */
  readonly reports: readonly Report[];
}

/** A node that reports a flow. */
export interface Report {
  readonly node: string;
  readonly at: FlowRecord["at"];
}

/** What a log says as a whole. */
export interface SeenFlows {
  readonly flows: readonly SeenFlow[];
  readonly nodes: readonly string[];
  /** Milliseconds since 1970, of the first and the last line; undefined: the log is empty. */
  readonly from?: number;
  readonly until?: number;
  /** Connections and packets that are counted but not named. */
  readonly unnamed: number;
  /** CIDRs that pods' addresses come from. */
  readonly pools: readonly string[];
  /** What the log said last of nodes, by name. */
  readonly hosts: ReadonlyMap<string, NonNullable<IntervalRecord["host"]>>;
}

/** Counts at one side of a flow. */
interface Side {
  seen: boolean;
  opened: number;
  /** By node: the most in one interval. */
  readonly active: Map<string, number>;
  last: number;
}

interface Draft extends Pick<FlowRecord, "from" | "to" | "protocol" | "port" | "icmp"> {
  service?: string | undefined;
  readonly source: Side;
  readonly destination: Side;
  packetsDenied: number;
  lastDenied: number;
  readonly policies: Set<string>;
  isOwnNode: boolean;
  at: FlowRecord["at"] | undefined;
  readonly reports: Map<string, Report>;
}

/** Adds up the lines of a log. A flow between two nodes is in the log of both: it counts once. */
export function seenFlows(lines: Iterable<FlowLogLine>): SeenFlows {
  const drafts = new Map<string, Draft>();
  const nodes = new Set<string>();
  const pools = new Set<string>();
  const hosts = new Map<string, NonNullable<IntervalRecord["host"]>>();
  let [from, until] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  let unnamed = 0;
  for (const line of lines) {
    nodes.add(line.node);
    const [begin, end] = line.type === "flow" ? [line.first, line.last] : [line.from, line.until];
    from = Math.min(from, Date.parse(begin));
    until = Math.max(until, Date.parse(end));
    if (line.type === "interval") {
      unnamed += line.lostRefusals + line.summarised;
      for (const pool of line.pools) pools.add(pool);
      if (line.host) hosts.set(line.node, line.host);
    } else if (!line.others && !line.sentOn && line.verdict !== "refused") add(drafts, line);
  }
  return {
    flows: [...drafts.values()]
      .map(finished)
      .sort((a, b) => b.connections - a.connections || (keyOf(a) < keyOf(b) ? -1 : 1)),
    nodes: [...nodes].sort(),
    ...(nodes.size > 0 && { from, until }),
    unnamed,
    pools: [...pools].sort(),
    hosts,
  };
}

function keyOf({
  from,
  to,
  protocol,
  port,
  icmp,
}: Pick<FlowRecord, "from" | "to" | "protocol" | "port" | "icmp">): string {
  return JSON.stringify([inOrder(from), inOrder(to), protocol, port, icmp?.type, icmp?.code]);
}

function inOrder(end: FlowEnd): unknown {
  return Object.entries(end).sort(([a], [b]) => (a < b ? -1 : 1));
}

const side = (): Side => ({ seen: false, opened: 0, active: new Map(), last: 0 });

function add(drafts: Map<string, Draft>, line: FlowRecord): void {
  const key = keyOf(line);
  const { from, to, protocol, port, icmp, node, at, policy } = line;
  const draft = drafts.get(key) ?? {
    ...{ from, to, protocol, port, ...(icmp && { icmp }), source: side(), destination: side() },
    ...{ packetsDenied: 0, lastDenied: 0, policies: new Set<string>(), isOwnNode: true, at },
    reports: new Map<string, Report>(),
  };
  drafts.set(key, draft);
  draft.service ??= line.service;
  draft.isOwnNode &&= from.kind === "node" && at === "both" && line.verdict === "allowed";
  if (draft.at !== at) draft.at = undefined;
  draft.reports.set(`${at} ${node}`, { node, at });
  const last = Date.parse(line.last);
  const sides =
    at === "both" ? [draft.source, draft.destination] : [at === "destination" ? draft.destination : draft.source];
  for (const one of sides) {
    one.seen = true;
    if (line.verdict !== "allowed") continue;
    one.opened += line.connections;
    one.active.set(node, Math.max(one.active.get(node) ?? 0, line.active));
    one.last = Math.max(one.last, last);
  }
  if (line.verdict === "allowed") return;
  draft.packetsDenied += line.packetsRefused;
  draft.lastDenied = Math.max(draft.lastDenied, last);
  if (policy) draft.policies.add(policy);
}

// The receiver's node has the last word: what the sender's node lets out may be denied there.
function finished({ source, destination, lastDenied, policies, service, at, reports, ...rest }: Draft): SeenFlow {
  const counted = destination.seen ? destination : source;
  const active = [...counted.active.values()].reduce((sum, one) => sum + one, 0);
  return {
    ...rest,
    ...(service !== undefined && { service }),
    ...(at !== undefined && { at }),
    connections: Math.max(counted.opened, active),
    policies: [...policies].sort(),
    reports: [...reports.values()],
    last: counted.last || lastDenied,
  };
}
