// Events about single packets from the packet path (bpf/maps/events.h). One reader per node: the agent.
import { closeSync } from "node:fs";
import { type Event, event, rings } from "./layout.gen.ts";
import { describeError, lastError, libbpf } from "./libbpf.ts";
import { openMap, type Pins } from "./pins.ts";

export interface EventRing {
  /** Returns all events now in the ring, oldest first. */
  drain(): void;
}

export function openEventRing(pins: Pins, receive: (event: Event) => void): EventRing {
  const fd = openMap(pins, rings.events.name);
  const ring = libbpf().ringOpen(fd, (bytes) => {
    receive(event.decode(new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength), 0));
  });
  closeSync(fd); // the ring's memory is mapped; libbpf does not use the descriptor again
  if (!ring) throw new Error(`Cannot read the ring ${rings.events.name}: ${describeError(lastError())}.`);
  return {
    drain() {
      const result = libbpf().ringConsume(ring);
      if (result < 0) throw new Error(`Cannot read the ring ${rings.events.name}: ${describeError(result)}.`);
    },
  };
}
