// The cards of the guest with uplink-cards.ts: one as the uplink of each node, and its other end, which is a port of the lab's switch.
import type { Card } from "./cards.ts";

const mac = (last: number) => `02:00:00:00:aa:${String(last).padStart(2, "0")}`;

interface Cable {
  readonly card: Card;
  readonly port: Card;
}

const port = (name: string, at: string, last: number): Card => ({ name, at, mac: mac(last), queues: 1 });

/** What a driver needs for native XDP: queues for each processor beside those in use, and a host that takes its offloads back. */
const fit: Cable = {
  card: { name: "card0", at: "switch0", mac: mac(1), queues: 4 },
  port: port("port0", "switch0", 2),
};
/** The host merges packets and leaves out checksums, and cannot be told to stop. */
const unfit: Cable = {
  card: { name: "card1", at: "switch1", mac: mac(3), queues: 1, properties: ["ctrl_guest_offloads=off"] },
  port: port("port1", "switch1", 4),
};

/** By node. */
export const cables = { master: fit, node: unfit } as const;
export const cards = Object.values(cables).flatMap((cable) => [cable.card, cable.port]);
