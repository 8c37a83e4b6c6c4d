import { openEventRing } from "../../agent/kernel/event-ring.ts";
import type { Event, EventKind } from "../../agent/kernel/layout.gen.ts";
import type { Pins } from "../../agent/kernel/pins.ts";

/** The events of a node's programs since the last forget(). */
export class Events {
  #seen: Event[] = [];
  readonly #drain: () => void;

  constructor(pins: Pins) {
    const ring = openEventRing(pins, (event) => this.#seen.push(event));
    this.#drain = () => ring.drain();
  }

  of(kind: EventKind): Event[] {
    this.#drain();
    return this.#seen.filter((event) => event.kind === kind);
  }

  forget(): void {
    this.#drain();
    this.#seen = [];
  }
}
