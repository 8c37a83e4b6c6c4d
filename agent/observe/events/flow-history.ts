// The latest flows of this node, in bounded memory, for readers that come later.
import type { End, Flow } from "./flow.ts";
import { isRefused } from "./flow-filter.ts";

export interface HistoryLimits {
  /** The most bytes of all flows together: their text, and a fixed amount for each entry. */
  readonly bytes: number;
  /** How many flows of one kind of sender are kept per second, and at once. */
  readonly perSecond: number;
  readonly burst: number;
}

const LIMITS: HistoryLimits = { bytes: 4 << 20, perSecond: 200, burst: 1000 };
const ENTRY_BYTES = 96;

/** What a reader is told about the past. Times in milliseconds since 1970. */
export interface HistoryExtent {
  /** Since when flows are kept. */
  readonly since: number;
  /** How many flows of the requested time are lost, by their owner: "from shop", "to shop", "from outside". */
  readonly pushedOut: Readonly<Record<string, number>>;
  /** Flows that were not kept, because there were too many at once. */
  readonly missed: number;
}

/** A flow as JSON. */
export interface KeptFlow {
  readonly text: string;
  /** All policies that a refusal is about. */
  readonly policyNames: string | undefined;
}

interface Entry extends KeptFlow {
  readonly number: number;
  readonly at: number;
}

/** The flows of one kind of sender. */
class Shelf {
  readonly key: string;
  entries: Entry[] = [];
  /** Entries before this index are dropped; they are cut off together. */
  first = 0;
  bytes = 0;
  /** Flows that were pushed out, by the minute in which they happened. */
  readonly gone = new Map<number, number>();
  #tokens: number;
  #refilled: number;

  constructor(key: string, now: number, burst: number) {
    this.key = key;
    this.#tokens = burst;
    this.#refilled = now;
  }

  admits(now: number, { perSecond, burst }: HistoryLimits): boolean {
    this.#tokens = Math.min(burst, this.#tokens + (Math.max(0, now - this.#refilled) * perSecond) / 1000);
    this.#refilled = now;
    if (this.#tokens < 1) return false;
    this.#tokens--;
    return true;
  }

  /** Drops its oldest entry. @returns its weight */
  pushOut(): number {
    const entry = this.entries[this.first];
    if (!entry) return 0;
    count(this.gone, entry.at);
    this.first++;
    if (this.first * 2 > this.entries.length) {
      this.entries = this.entries.slice(this.first);
      this.first = 0;
    }
    return weightOf(entry);
  }
}

/** If there is no room, the namespace that uses the most drops its oldest flow: a namespace with many flows pushes out only its own. */
export class FlowHistory {
  readonly #limits: HistoryLimits;
  readonly #shelves = new Map<string, Shelf>();
  readonly #since: number;
  #bytes = 0;
  #number = 0;
  /** By minute: flows that were not kept because there were too many at once; and flows that were pushed out, of namespaces that have
   * none left. */
  readonly #missed = new Map<number, number>();
  readonly #others = new Map<number, number>();

  /** @param now milliseconds since 1970 */
  constructor(now: number, limits = LIMITS) {
    this.#limits = limits;
    this.#since = now;
  }

  /** @param policyNames all policies that a refusal is about */
  keep(flow: Flow, policyNames?: string): void {
    const at = Date.parse(flow.time);
    const key = shelfOf(flow);
    const shelf = this.#shelves.get(key) ?? new Shelf(key, at, this.#limits.burst);
    this.#shelves.set(key, shelf);
    if (shelf.admits(at, this.#limits)) this.#put(shelf, at, { text: JSON.stringify(flow), policyNames });
    else count(this.#missed, at);
  }

  #put(shelf: Shelf, at: number, kept: KeptFlow): void {
    const entry = { number: this.#number++, at, ...kept };
    shelf.entries.push(entry);
    shelf.bytes += weightOf(entry);
    this.#bytes += weightOf(entry);
    while (this.#bytes > this.#limits.bytes) this.#pushOut();
  }

  /** The flows since a time, in the order in which they were kept: those that exist now, even if others are added meanwhile. */
  after(since: number): readonly KeptFlow[] {
    return [...this.#shelves.values()]
      .flatMap(({ entries, first }) => entries.slice(first).filter(({ at }) => at >= since))
      .sort((a, b) => a.number - b.number);
  }

  extent(since: number): HistoryExtent {
    const lost = (times: ReadonlyMap<number, number>) =>
      [...times].reduce((sum, [minute, number]) => ((minute + 1) * MINUTE > since ? sum + number : sum), 0);
    const pushedOut = [...this.#shelves].map(([key, { gone }]) => [key, lost(gone)] as const);
    return {
      since: Math.max(since, this.#since),
      pushedOut: Object.fromEntries(
        [...pushedOut, ["others", lost(this.#others)] as const].filter(([, all]) => all > 0),
      ),
      missed: lost(this.#missed),
    };
  }

  // Called for each flow while there is no room, so it copies nothing.
  #largest(): Shelf | undefined {
    let largest: Shelf | undefined;
    for (const shelf of this.#shelves.values()) if (!largest || shelf.bytes > largest.bytes) largest = shelf;
    return largest;
  }

  #pushOut(): void {
    const largest = this.#largest() as Shelf; // whose bytes are too many
    const weight = largest.pushOut();
    largest.bytes -= weight;
    this.#bytes -= weight;
    if (largest.bytes > 0) return;
    // Namespaces come and go.
    this.#shelves.delete(largest.key);
    for (const [minute, number] of largest.gone) count(this.#others, minute * MINUTE, number);
  }
}

const MINUTE = 60_000;
/** For how many minutes losses are counted separately. */
const MOST_MINUTES = 60;

function count(times: Map<number, number>, at: number, number = 1): void {
  const minute = Math.floor(at / MINUTE);
  times.set(minute, (times.get(minute) ?? 0) + number);
  if (times.size > MOST_MINUTES) times.delete(times.keys().next().value ?? minute);
}

const weightOf = ({ text, policyNames = "" }: Entry) => text.length + policyNames.length + ENTRY_BYTES;

/** The owner of a flow, which has to make room for it: a pod's namespace. Flows from outside the cluster are grouped by their receiver,
 * and refused flows are counted apart from opened ones, so that a scan from outside does not hide connections. */
function shelfOf(flow: Flow): string {
  const sender = namespaceOf(flow.client);
  if (sender) return `from ${sender}`;
  const receiver = namespaceOf(flow.backend) ?? namespaceOf(flow.to) ?? "outside";
  return `${flow.socket ? "sockets " : isRefused(flow) ? "refused " : ""}to ${receiver}`;
}

function namespaceOf(end: End | undefined): string | undefined {
  const [, kind, object] = /^(pod|service) (.*)$/.exec(end?.name ?? "") ?? [];
  return kind && object?.split("/")[0];
}
