import type { FlowEnd, FlowRecord } from "../../../model/flow/record.ts";

/** One observation: an opened connection, a refused packet, or an active connection of the connection table. */
export interface Observation extends Pick<FlowRecord, "at" | "protocol" | "port" | "icmp" | "verdict"> {
  readonly from: NamedEnd;
  readonly to: NamedEnd;
  readonly service?: string | undefined;
  readonly reason?: string | undefined;
  /** Called for a new entry only. */
  readonly policy?: (() => string | undefined) | undefined;
  readonly connections?: number;
  readonly packetsRefused?: number;
  readonly active?: number;
  readonly packets?: number;
  /** Milliseconds since 1970. */
  readonly time: number;
}

/** An end with its text, which is unique. */
export interface NamedEnd {
  readonly key: string;
  readonly end: FlowEnd;
}

/** The counts of one flow. */
export interface Entry extends Pick<FlowRecord, "at" | "from" | "to" | "protocol" | "port" | "icmp" | "verdict"> {
  readonly service?: string | undefined;
  readonly reason?: string | undefined;
  readonly policy?: string | undefined;
  readonly others: boolean;
  connections: number;
  packetsRefused: number;
  active: number;
  packets: number;
  first: number;
  last: number;
}

/** Flows that share one budget: those of one workload. */
class Sender {
  readonly group: Group;
  readonly entries = new Map<string, Entry>();
  /** Their keys, the latest last. */
  readonly order: string[] = [];
  /** Flows that found no room, by verdict. */
  readonly others = new Map<string, Entry>();

  constructor(group: Group) {
    this.group = group;
  }
}

/** The workloads of one namespace. */
class Group {
  readonly senders = new Map<string, Sender>();
  size = 0;
}

const OTHERS: FlowEnd = { kind: "others" };

/** Flows with their counts, in bounded memory. When the table is full, room is shared: the group with the most flows (a namespace, or
 * all clients outside the cluster) drops the latest flow of its sender with the most, which is then counted in that sender's line
 * "others". So a sender that opens one flow to each of 65,535 ports hides only flows of its own. */
export class FlowTable {
  readonly #limit: number;
  #groups = new Map<string, Group>();
  #size = 0;
  #heaviest: Sender | undefined;
  /** For senders that find no room at all. */
  #rest = new Map<string, Entry>();
  /** Observations that only a line "others" counts. */
  summarised = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Flows, without the lines "others". */
  get size(): number {
    return this.#size;
  }

  add(one: Observation): void {
    const key = keyOf(one);
    const [groupKey, senderKey] = budgetOf(one);
    const sender = this.#groups.get(groupKey)?.senders.get(senderKey);
    const known = sender?.entries.get(key);
    if (known) count(known, one);
    else if (this.#size < this.#limit || this.#makeRoom(groupKey, senderKey))
      this.#enter(groupKey, senderKey, key, one);
    else this.#summarise(sender, one);
  }

  #enter(groupKey: string, senderKey: string, key: string, one: Observation): void {
    const own = this.#groups.get(groupKey)?.senders.get(senderKey) ?? this.#open(groupKey, senderKey);
    own.entries.set(key, entryOf(one));
    own.order.push(key);
    own.group.size++;
    this.#size++;
    // Only the heaviest group or sender can be overtaken: the next search finds the new heaviest one.
    const top = this.#heaviest;
    if (top && top !== own && (own.group.size > top.group.size || own.entries.size > top.entries.size))
      this.#heaviest = undefined;
  }

  /** The entries; the lines "others" come last. The table is empty afterwards. */
  take(): Entry[] {
    const senders = [...this.#groups.values()].flatMap(({ senders }) => [...senders.values()]);
    const found = [
      ...senders.flatMap(({ entries }) => [...entries.values()]),
      ...senders.flatMap(({ others }) => [...others.values()]),
      ...this.#rest.values(),
    ];
    this.#groups = new Map();
    this.#rest = new Map();
    this.#size = 0;
    this.#heaviest = undefined;
    this.summarised = 0;
    return found;
  }

  /** The same, without emptying it. */
  peek(): Entry[] {
    const senders = [...this.#groups.values()].flatMap(({ senders }) => [...senders.values()]);
    const own = senders.flatMap(({ entries, others }) => [...entries.values(), ...others.values()]);
    return [...own, ...this.#rest.values()];
  }

  #open(groupKey: string, senderKey: string): Sender {
    const group = this.#groups.get(groupKey) ?? new Group();
    this.#groups.set(groupKey, group);
    const sender = new Sender(group);
    group.senders.set(senderKey, sender);
    return sender;
  }

  /** Takes an entry from the heaviest sender; false if the new flow's own group or sender is as heavy. */
  #makeRoom(groupKey: string, senderKey: string): boolean {
    this.#heaviest ??= this.#findHeaviest();
    const top = this.#heaviest;
    if (!top) return false;
    const group = this.#groups.get(groupKey);
    const isLighter =
      group === top.group
        ? (group.senders.get(senderKey)?.entries.size ?? 0) + 1 < top.entries.size
        : (group?.size ?? 0) + 1 < top.group.size;
    if (!isLighter) return false;
    const key = top.order.pop() ?? "";
    const entry = top.entries.get(key);
    if (!entry) return false;
    top.entries.delete(key);
    top.group.size--;
    this.#size--;
    this.#heaviest = undefined;
    const [from, to] = [entry.from, entry.to].map((end) => ({ key: "", end })) as [NamedEnd, NamedEnd];
    this.#summarise(top, { ...entry, from, to, policy: undefined, time: entry.last });
    return true;
  }

  #findHeaviest(): Sender | undefined {
    const group = heaviest(this.#groups.values(), ({ size }) => size);
    return group && heaviest(group.senders.values(), ({ entries }) => entries.size);
  }

  #summarise(sender: Sender | undefined, one: Observation): void {
    this.summarised += (one.connections ?? 0) + (one.packetsRefused ?? 0);
    const lines = sender?.others ?? this.#rest;
    const known = lines.get(one.verdict);
    if (known) {
      count(known, one);
      return;
    }
    // The flows of the last budget have only their verdict in common.
    const from = sender && one.from.end.kind !== "network" ? one.from.end : OTHERS;
    const { icmp: _, ...rest } = entryOf({ ...one, policy: undefined });
    const unlike = { to: OTHERS, protocol: "any", port: 0, service: undefined, reason: undefined, policy: undefined };
    lines.set(one.verdict, { ...rest, from, ...unlike, others: true });
  }
}

function heaviest<T>(all: Iterable<T>, weight: (one: T) => number): T | undefined {
  let found: T | undefined;
  for (const one of all) if (found === undefined || weight(one) > weight(found)) found = one;
  return found;
}

/** Whose budget a flow uses: [group, sender]. Clients outside the cluster can pretend to be many, so all share one group, in which the
 * flows of each receiver have a budget. Refused packets, which any client can cause, do not use the budget of allowed ones. */
function budgetOf({ from: { end, key }, to, verdict }: Observation): [string, string] {
  if (end.kind === "pods") return [`namespace ${end.namespace}`, key];
  if (end.kind === "node") return ["nodes", key];
  return [`outside ${verdict === "allowed" ? "allowed" : "refused"}`, to.end.kind === "network" ? "outside" : to.key];
}

function keyOf({ from, to, at, protocol, port, icmp, verdict, service = "", reason = "" }: Observation): string {
  const target = icmp ? `type ${icmp.type} code ${icmp.code}` : port;
  return `${from.key}\n${to.key}\n${at} ${protocol} ${target} ${verdict} ${reason}\n${service}`;
}

function entryOf(one: Observation): Entry {
  const { at, from, to, protocol, port, icmp, verdict, service, reason, policy, time } = one;
  const { connections = 0, packetsRefused = 0, active = 0, packets = 0 } = one;
  return {
    ...{ at, from: from.end, to: to.end, protocol, port, verdict, service, reason, policy: policy?.(), others: false },
    ...{ connections, packetsRefused, active, packets, first: time, last: time, ...(icmp && { icmp }) },
  };
}

function count(
  entry: Entry,
  { connections = 0, packetsRefused = 0, active = 0, packets = 0, time }: Observation,
): void {
  entry.connections += connections;
  entry.packetsRefused += packetsRefused;
  entry.active += active;
  entry.packets += packets;
  entry.first = Math.min(entry.first, time);
  entry.last = Math.max(entry.last, time);
}
