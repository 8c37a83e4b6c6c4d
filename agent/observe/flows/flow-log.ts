import type { FlowLogLine, FlowRecord, IntervalRecord } from "../../../model/flow/record.ts";
import type { FlowLogSettings } from "../../../model/flow/settings.ts";
import type { Event } from "../../kernel/layout.gen.ts";
import type { ReportTotals } from "../../kernel/outcomes.ts";
import { inSlices } from "../../process/slices.ts";
import { Turns } from "../../process/turns.ts";
import type { EventFeed } from "../events/feed.ts";
import type { Logger } from "../log.ts";
import { Outside } from "./ends.ts";
import { type Entry, FlowTable } from "./flow-table.ts";
import { type LiveConnection, liveConnections } from "./live-connections.ts";
import type { LogFiles } from "./log-files.ts";
import { described, isSentOn, type ObservingParts, observe, opened } from "./observe.ts";
import { type Staging, sentOnOtherwise, withStaged } from "./staged.ts";

export interface FlowLogParts extends ObservingParts {
  /** How to keep the log now; undefined: not at all. */
  readonly settings: () => FlowLogSettings | undefined;
  /** Undefined: no policy is staged. */
  readonly staging: () => Staging | undefined;
  /** CIDRs that pods' addresses come from. */
  readonly pools: () => readonly string[];
  /** The policies by which host endpoints of this node are judged; undefined: not known. */
  readonly host: () => IntervalRecord["host"];
  readonly feed: Pick<EventFeed, "listen">;
  readonly tables: Parameters<typeof liveConnections>[0];
  readonly reports: () => ReportTotals;
  readonly files: Pick<LogFiles, "append">;
  /** Nanoseconds of the kernel's monotonic clock → milliseconds since 1970. */
  readonly wallClock: (time: bigint) => number;
  readonly log: Pick<Logger, "info" | "warn" | "error">;
}

/** Flows of one interval; about 5 MB when it is full. */
const MOST_FLOWS = 8192;
/** The part of these for flows that the node sends on to backends of other nodes, for each namespace and for clients outside. */
const MOST_SENT_ON = 1024;
const LOOK_MS = 1000;
/** Lines that are written at once. */
const PART = 256;

/** Keeps the flow log while the configuration asks for one. Otherwise it costs one look at the configuration each second, and the
 * packet path reports nothing. */
export class FlowLog {
  readonly #parts: FlowLogParts;
  readonly #table = new FlowTable(MOST_FLOWS);
  /** Only while policies are staged. */
  readonly #sentOn = new FlowTable(MOST_SENT_ON);
  #outside = new Outside(MOST_FLOWS);
  #recording: { end: () => void; since: number; monotonic: bigint; totals: ReportTotals } | undefined;
  #unwritten = 0;
  #reported = "";
  readonly #turns = new Turns();
  readonly #timer: NodeJS.Timeout;

  constructor(parts: FlowLogParts) {
    this.#parts = parts;
    this.#timer = setInterval(() => void this.look(), LOOK_MS);
  }

  /** Begins the log, ends it, or writes the interval, if it is time. Calls run one after the other. */
  look(now = Date.now()): Promise<void> {
    return this.#turns.take(() => this.#look(now)).catch((error: Error) => this.#fail(error.message));
  }

  /** The flows that were not written yet, in the form of the file; empty without a log. */
  async current(): Promise<FlowLogLine[]> {
    return this.#turns.take(async (): Promise<FlowLogLine[]> => {
      if (!this.#recording) return [];
      await this.#readConnections();
      const records = await this.#judged(this.#table.peek(), this.#sentOn.peek());
      return [...records, this.#interval(Date.now(), records.length)];
    });
  }

  /** Writes all flows that were not written yet, before the process ends. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.#turns.take(async () => {
      const settings = this.#parts.settings();
      if (this.#recording && settings) await this.#write(settings, Date.now());
      this.#stop();
    });
  }

  async #look(now: number): Promise<void> {
    const settings = this.#parts.settings();
    if (!settings && this.#recording) {
      this.#stop();
      this.#parts.log.info("the flow log ends");
    } else if (settings && !this.#recording) {
      this.#start(now);
      this.#parts.log.info(`the flow log begins: written every ${settings.intervalSeconds} s`);
    } else if (settings && this.#recording && now - this.#recording.since >= settings.intervalSeconds * 1000) {
      await this.#write(settings, now);
    }
  }

  #start(now: number): void {
    const end = this.#parts.feed.listen((event) => this.#receive(event), { flows: true });
    // A connection that is open already belongs to the first interval if it was used within the last minute.
    const monotonic = process.hrtime.bigint() - 60_000_000_000n;
    this.#recording = { end, since: now, monotonic, totals: this.#parts.reports() };
  }

  #stop(): void {
    this.#recording?.end();
    this.#recording = undefined;
    this.#table.take();
    this.#sentOn.take();
    this.#outside = new Outside(MOST_FLOWS);
  }

  #receive(event: Event): void {
    const time = this.#parts.wallClock(event.time);
    const seen = observe(event, time, this.#parts, this.#outside);
    if (seen) this.#table.add(seen);
    else if (isSentOn(event) && this.#parts.staging()?.now.hosts)
      this.#sentOn.add({
        ...described(opened(event), "allowed", undefined, this.#parts, this.#outside),
        ...{ connections: 1, time },
      });
  }

  async #write(settings: FlowLogSettings, now: number): Promise<void> {
    const recording = this.#recording;
    if (!recording) return;
    await this.#readConnections();
    const interval = this.#interval(now, 0);
    const [entries, sentOn] = [this.#table.take(), this.#sentOn.take()];
    this.#outside = new Outside(MOST_FLOWS);
    this.#recording = { ...recording, since: now, monotonic: process.hrtime.bigint(), totals: this.#parts.reports() };
    const records = await this.#judged(entries, sentOn);
    const lines = [...records, { ...interval, flows: records.length }];
    for (let first = 0; first < lines.length; first += PART) {
      const part = lines.slice(first, first + PART);
      try {
        await this.#parts.files.append(part.map((line) => `${JSON.stringify(line)}\n`).join(""), settings);
        this.#reported = "";
      } catch (error) {
        this.#unwritten += lines.length - first;
        this.#fail(error instanceof Error ? error.message : String(error));
        return;
      }
    }
    this.#unwritten = 0;
  }

  /** Adds the connections of the connection table, in slices: 4 µs an entry. */
  async #readConnections(): Promise<void> {
    const recording = this.#recording;
    if (!recording) return;
    const { tables, wallClock } = this.#parts;
    for (const entry of this.#table.peek()) {
      entry.active = 0;
      entry.packets = 0;
    }
    const add = ({ flow, packets, isReply, lastSeen }: LiveConnection) =>
      this.#table.add({
        ...described(flow, "allowed", undefined, this.#parts, this.#outside),
        active: isReply ? 0 : 1,
        packets,
        time: wallClock(lastSeen),
      });
    function* steps() {
      for (const live of liveConnections(tables, recording?.monotonic ?? 0n)) {
        if (live) add(live);
        yield;
      }
    }
    await inSlices(steps());
  }

  async #judged(entries: readonly Entry[], sentOn: readonly Entry[]): Promise<FlowRecord[]> {
    const staging = this.#parts.staging();
    const records = this.#records(entries);
    if (!staging) return records;
    const judged = await inSlices(withStaged(records, staging));
    if (sentOn.length === 0) return judged;
    return [...judged, ...(await inSlices(sentOnOtherwise(this.#records(sentOn), staging)))];
  }

  #records(entries: readonly Entry[]): FlowRecord[] {
    const { node } = this.#parts;
    return entries.map(({ first, last, service, reason, policy, others, ...entry }) => ({
      type: "flow",
      node,
      ...entry,
      ...(service !== undefined && { service }),
      ...(reason !== undefined && { reason }),
      ...(policy !== undefined && { policy }),
      first: new Date(first).toISOString(),
      last: new Date(last).toISOString(),
      ...(others && { others }),
    }));
  }

  #interval(now: number, flows: number): IntervalRecord {
    const { since, totals } = this.#recording ?? { since: now, totals: new Map() as ReportTotals };
    const reports = this.#parts.reports();
    const host = this.#parts.host();
    const lost = (kind: "opened" | "refused") => {
      const count = (of: ReportTotals) => (of.get(kind)?.suppressed ?? 0n) + (of.get(kind)?.lost ?? 0n);
      return Number(count(reports) - count(totals));
    };
    return {
      type: "interval",
      node: this.#parts.node,
      from: new Date(since).toISOString(),
      until: new Date(now).toISOString(),
      flows,
      lostConnections: lost("opened"),
      lostRefusals: lost("refused"),
      summarised: this.#table.summarised,
      pools: [...this.#parts.pools()],
      unwritten: this.#unwritten,
      ...(host && { host }),
    };
  }

  #fail(message: string): void {
    const sentence = `Cannot write the flow log: ${message}`;
    if (sentence !== this.#reported) this.#parts.log.error(sentence);
    this.#reported = sentence;
  }
}
