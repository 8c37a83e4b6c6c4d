import { type Intervals, Runner, type Urgency } from "../reconcile/runner.ts";

// A burst of changes is one round; a failed round is retried after a second, then at increasing intervals.
const INTERVALS: Intervals = { min: 20, retry: 1000, max: 10_000, rest: { times: 3, longest: 100 } };

// In a big cluster some Service changes all the time. Rounds for these kinds take a quarter of a processor at most. Nothing waits for them
// as the start of a pod waits for its policy.
const PATIENT: ReadonlySet<string> = new Set(["Service", "EndpointSlice"]);

/** The longest rounds of large clusters take a few seconds. */
const STUCK_MS = 60_000;

/** Schedules updates of the kernel to the cluster's state: not before start(), then after every trigger. */
export class Rounds {
  readonly #runner: Runner;
  #started = false;
  readonly #waiting = new Set<() => void>();
  #reached: (() => void) | undefined;

  /** By kind of object: when the oldest change arrived that is not complete in the kernel. */
  #since = new Map<string, number>();
  /** When the oldest change arrived that no round has brought to the kernel. */
  #unwritten: number | undefined;
  #beingWritten: number | undefined;
  /** When a round has brought something to the kernel last. */
  #progressed = Number.NEGATIVE_INFINITY;
  #synced: number | undefined;

  readonly #behindSince: () => number | undefined;

  /** `round` returns the result of Dataplane.apply(); `programmed` gets the seconds from the first change of a kind of object to
   * its completion; `behindSince` tells since when rounds have left out a change (`performance.now()`). */
  constructor(
    round: () => Promise<"done" | "partly" | "failed">,
    programmed: (kind: string, seconds: number) => void = () => {},
    behindSince: () => number | undefined = () => undefined,
  ) {
    this.#behindSince = behindSince;
    this.#runner = new Runner(async () => {
      const since = this.#since;
      this.#since = new Map();
      this.#beingWritten = earliest(this.#unwritten, this.#behind());
      this.#unwritten = undefined;
      const result = await round();
      if (result === "failed") this.#unwritten = this.#beingWritten ?? this.#unwritten;
      this.#beingWritten = undefined;
      if (result !== "failed") this.#progressed = performance.now();
      if (result !== "failed") this.#reached?.();
      this.#look();
      // A change that arrived meanwhile gets a separate round; an incomplete one keeps waiting.
      if (result === "done") this.#synced = performance.now();
      if (result === "done") for (const [kind, at] of since) programmed(kind, (performance.now() - at) / 1000);
      else this.#since = new Map([...this.#since, ...since]);
      return result === "done";
    }, INTERVALS);
  }

  /** An object of the cluster changed. @param kind "EndpointSlice" */
  changed(kind: string): void {
    if (this.#started) {
      if (!this.#since.has(kind)) this.#since.set(kind, performance.now());
      this.#unwritten ??= performance.now();
    }
    this.trigger(PATIENT.has(kind) ? "patient" : "soon");
  }

  /** How long a change has been waiting for the kernel while no round makes progress, in ms; 0: none waits. A single entry that cannot
   * be written does not count. */
  get waitingMs(): number {
    const since = earliest(this.#beingWritten, this.#unwritten, this.#behind());
    return since === undefined ? 0 : performance.now() - since;
  }

  /** @throws Error if nothing reaches the kernel although a change waits: a round does not end, or every one fails */
  expectProgress(): void {
    if (this.waitingMs < STUCK_MS) return;
    throw new Error(
      `a change has waited for more than ${STUCK_MS / 1000} s, and nothing was written meanwhile. Next: look at the errors above; if there is none, restart this agent and report it`,
    );
  }

  /** Since when a part that rounds left out waits for the next round: a change that is too large for one round must not end connections
   * on all nodes at once. */
  #behind(): number | undefined {
    const since = this.#behindSince();
    return since === undefined ? undefined : Math.max(since, this.#progressed);
  }

  /** How long ago the kernel had everything that was known, in ms; undefined: it never had. */
  get sinceSync(): number | undefined {
    return this.#synced === undefined ? undefined : performance.now() - this.#synced;
  }

  /** Something changed. */
  trigger(urgency: Urgency = "soon"): void {
    this.#look();
    if (this.#started) this.#runner.trigger(urgency);
  }

  #look(): void {
    for (const look of this.#waiting) look();
  }

  /** Resolves at the first trigger or end of a round that finds the condition true, or at once; rejects with the signal's reason when that aborts first. */
  until(condition: () => boolean, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const look = () => {
        if (!condition()) return;
        this.#waiting.delete(look);
        resolve();
      };
      this.#waiting.add(look);
      signal?.addEventListener("abort", () => {
        if (this.#waiting.delete(look)) reject(signal.reason);
      });
      look();
    });
  }

  /** Starts; resolves when the first round succeeded. */
  start(): Promise<void> {
    this.#started = true;
    const first = new Promise<void>((resolve) => {
      this.#reached = resolve;
    });
    this.#runner.trigger();
    return first;
  }
}

function earliest(...times: (number | undefined)[]): number | undefined {
  const known = times.filter((time) => time !== undefined);
  return known.length === 0 ? undefined : Math.min(...known);
}
