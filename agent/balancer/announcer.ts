import type { Address } from "../../model/address/address.ts";
import type { Announced, Announcement } from "../kernel/layout.gen.ts";
import type { MapStore } from "../kernel/map-store.ts";
import type { NetworkDevice } from "../network/devices.ts";
import { announcementFrame } from "./announcement-frame.ts";

/** How long this node answers after the agent's last renewal: as long as another node needs to take an address over. */
const ANSWERING_MS = 3_000;
/** Hosts ignore a change that follows another one within a second (Linux's locktime), so the first announcements are repeated. */
const REPEATED = [0, 1_100, 2_200];

export interface AnnouncerParts {
  readonly map: MapStore<Announced, Announcement>;
  readonly uplinks: () => readonly NetworkDevice[];
  /** Sends a frame out of an interface. Returns why not. */
  readonly send: (ifindex: number, frame: Uint8Array) => string | undefined;
}

/** Makes the packet path answer for addresses on this node's uplinks, and tells the hosts there. */
export class Announcer {
  readonly #parts: AnnouncerParts;
  /** By address: since when this node announces it, and how often it has done so. */
  readonly #told = new Map<Address, { since: number; times: number }>();

  constructor(parts: AnnouncerParts) {
    this.#parts = parts;
  }

  /** Renews the addresses and withdraws all others. @param now in milliseconds, of the clock of bpf_ktime_get_ns @returns what failed */
  announce(addresses: ReadonlySet<Address>, now: number): string[] {
    const { map, uplinks, send } = this.#parts;
    const until = BigInt(Math.round(now + ANSWERING_MS)) * 1_000_000n;
    const places = uplinks().map(({ ifindex, mac, name }) => ({ ifindex, mac, name }));
    const stale = map
      .entries()
      .filter(([key]) => !addresses.has(key.address) || !places.some(({ ifindex }) => ifindex === key.interface));
    map.delete(stale.map(([key]) => key));
    for (const address of this.#told.keys()) if (!addresses.has(address)) this.#told.delete(address);
    const failed = map
      .update(
        [...addresses].flatMap((address) =>
          places.map(
            ({ ifindex, mac }) =>
              [
                { address, interface: ifindex },
                { until, mac },
              ] as const,
          ),
        ),
      )
      .map(({ key, reason }) => `${key.address}: ${reason}`);
    for (const address of addresses) {
      const told = this.#told.get(address) ?? { since: now, times: 0 };
      this.#told.set(address, told);
      const next = REPEATED[told.times];
      if (next === undefined || now - told.since < next) continue;
      told.times++;
      for (const { ifindex, mac, name } of places) {
        const reason = send(ifindex, announcementFrame(address, mac));
        if (reason) failed.push(`${address} on ${name}: ${reason}`);
      }
    }
    return failed;
  }
}
