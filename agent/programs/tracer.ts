import type { Trace } from "../kernel/layout.gen.ts";
import type { LoadedPrograms } from "../kernel/load.ts";
import type { MapStore } from "../kernel/map-store.ts";
import type { Attachments } from "./attachments.ts";

/** The packets of a trace: those of one client's port, in both directions. */
export type TraceFilter = Omit<Trace, "until" | "peerPort">;

export interface TracerParts {
  readonly traces: Pick<MapStore<number, Trace>, "update">;
  readonly attachments: Pick<Attachments, "use">;
  /** Loads the build of the programs that reports every step. */
  readonly loadTraced: () => LoadedPrograms;
  /** Restores the ordinary programs. */
  readonly ordinary: Pick<LoadedPrograms, "programFd">;
}

export class TraceRunning extends Error {}

/** Temporarily replaces the programs with their tracing build. One trace at a time. */
export class Tracer {
  readonly #parts: TracerParts;
  #running = false;

  constructor(parts: TracerParts) {
    this.#parts = parts;
  }

  /** Starts a trace that ends after `seconds`, even if this process is killed; the returned function ends it earlier.
   * @throws TraceRunning */
  start(filter: TraceFilter, seconds: number): () => void {
    if (this.#running)
      throw new TraceRunning("Another trace is running on this node. Next: try again when it has ended.");
    const { traces, attachments, loadTraced, ordinary } = this.#parts;
    const traced = loadTraced();
    this.#running = true;
    const until = process.hrtime.bigint() + BigInt(Math.round(seconds * 1e9));
    const [failure] = traces.update([[0, { ...filter, until, peerPort: filter.clientPort }]]);
    if (failure) {
      this.#running = false;
      traced.close();
      throw new Error(`Cannot start the trace: ${failure.reason}.`);
    }
    const stop = () => {
      if (!this.#running) return;
      clearTimeout(timer);
      traces.update([[0, { ...filter, until: 0n, peerPort: 0 }]]);
      attachments.use(ordinary);
      traced.close();
      this.#running = false;
    };
    const timer = setTimeout(stop, seconds * 1000);
    try {
      attachments.use(traced);
    } catch (error) {
      stop();
      throw error;
    }
    return stop;
  }
}
