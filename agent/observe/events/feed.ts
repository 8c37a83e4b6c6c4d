import type { EventRing } from "../../kernel/event-ring.ts";
import type { Event, Listening } from "../../kernel/layout.gen.ts";
import type { MapStore } from "../../kernel/map-store.ts";

type Receiver = (event: Event) => void;

/** How often the ring buffer is drained, and how long the packet path reports events without a renewal: ms. */
const DRAIN_MS = 100;
const LEASE_MS = 3_000;

/** Passes the packet path's events to all listeners. Without listeners the packet path reports nothing. */
export class EventFeed {
  readonly #listeners: Pick<MapStore<number, Listening>, "update">;
  readonly #openRing: (receive: Receiver) => EventRing;
  readonly #failed: (message: string) => void;
  readonly #receivers = new Map<Receiver, { readonly lease: boolean }>();
  #ring: EventRing | undefined;
  #timer: NodeJS.Timeout | undefined;
  #renewed = 0;

  constructor(
    listeners: Pick<MapStore<number, Listening>, "update">,
    openRing: (receive: Receiver) => EventRing,
    failed: (message: string) => void,
  ) {
    this.#listeners = listeners;
    this.#openRing = openRing;
    this.#failed = failed;
  }

  /** Calls `receive` for each event until the returned function is called. `flows`: the packet path also reports opened
   * connections and refused packets; a trace is reported in any case. */
  listen(receive: Receiver, { flows }: { readonly flows: boolean }): () => void {
    this.#ring ??= this.#openRing((event) => {
      for (const one of this.#receivers.keys()) one(event);
    });
    if (this.#receivers.size === 0) this.#ring.drain(); // discard events from before the first listener
    this.#receivers.set(receive, { lease: flows });
    this.#renewed = 0;
    this.#timer ??= setInterval(() => this.#drain(), DRAIN_MS);
    this.#renew();
    return () => {
      this.#drain();
      this.#receivers.delete(receive);
      this.#renewed = 0;
      this.#renew();
      if (this.#receivers.size > 0) return;
      clearInterval(this.#timer);
      this.#timer = undefined;
    };
  }

  #drain(): void {
    try {
      this.#renew();
      this.#ring?.drain();
    } catch (error) {
      this.#failed(error instanceof Error ? error.message : String(error));
    }
  }

  #renew(): void {
    if (performance.now() - this.#renewed < LEASE_MS / 3 && this.#renewed > 0) return;
    this.#renewed = performance.now();
    const wanted = [...this.#receivers.values()].some(({ lease }) => lease);
    const until = wanted ? process.hrtime.bigint() + BigInt(LEASE_MS) * 1_000_000n : 0n;
    const [failure] = this.#listeners.update([[0, { until }]]);
    if (failure) this.#failed(`cannot turn on the reports of the packet path: ${failure.reason}`);
  }
}
