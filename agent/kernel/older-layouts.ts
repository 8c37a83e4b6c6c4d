// What the packet path knows of connections, taken over from maps of another layout: an upgrade ends none. The maps themselves say where
// their fields are (map-fields.ts), so a version takes over those of every other version, older or newer.
import { closeSync } from "node:fs";
import { join } from "node:path";
import type { MapDefinition } from "./codec.ts";
import { KernelMap } from "./kernel-map.ts";
import { type Affinity, type Connection, ConnectionFlag, SECONDS_TCP_OPENING, type Tuple } from "./layout.gen.ts";
import { libbpf } from "./libbpf.ts";
import { codecOfOther, fieldsOf } from "./map-fields.ts";
import type { MapStore, MapStores } from "./map-store.ts";
import { mapInfo } from "./object-info.ts";
import { openMap, otherLayouts, type Pins } from "./pins.ts";

export type CarriedMaps = Pick<MapStores, "connections" | "halfOpen" | "affinities">;

/** Of an entry: what the new version finds anew. A place is one of the new tables of places. */
const FOUND_ANEW = ["next_hop", "place", "padding"];

/** Whether the other layout's entry of a direction is the one to keep: the one that was used later. But an answer whose request the old
 * programs met looks like a flow of its own to new ones, which remember it as one: it would leave with the backend's address for as long as
 * the client sends. Of a direction's entries of the same time that differ so, that of the answer is right. */
function isKnownBetter(older: Connection, own: Connection): boolean {
  const [isAnswer, ownIsAnswer] = [older, own].map(({ flags }) => (flags & ConnectionFlag.REPLY) !== 0);
  const later = older.lastSeen - own.lastSeen;
  const isOfOneTime = later < OPENING && -later < OPENING;
  return isAnswer !== ownIsAnswer && isOfOneTime ? isAnswer === true : later > 0n;
}

const OPENING = BigInt(SECONDS_TCP_OPENING) * 1_000_000_000n;

/** Writes what maps of other layouts know, and these do not, or have known for longer. Called before the new programs are attached, and
 * once more after that, for what the old ones wrote meanwhile. @returns what to tell about it */
export function takeOver(pins: Pins, maps: CarriedMaps): { readonly taken: number; readonly told: readonly string[] } {
  let taken = 0;
  const told: string[] = [];
  for (const layout of otherLayouts(pins)) {
    try {
      // `halfOpen` first: an entry is written to the other table before it leaves this one.
      const now = (key: Tuple) => maps.halfOpen.lookup(key) ?? maps.connections.lookup(key);
      taken += carry(pins, layout, maps.connections, isKnownBetter, now);
      taken += carry(pins, layout, maps.halfOpen, isKnownBetter, now);
      const isLater = (older: Affinity, own: Affinity) => older.lastUsed > own.lastUsed;
      taken += carry(pins, layout, maps.affinities, isLater, (key) => maps.affinities.lookup(key));
    } catch (error) {
      told.push(
        `connections of layout ${layout} are not taken over: ${error instanceof Error ? error.message : error}`,
      );
    }
  }
  return { taken, told };
}

/** @param now what is known of a key when its entry is written: reading all takes so long that a connection can have begun meanwhile from the port of one
 * that is over */
function carry<K, V>(
  pins: Pins,
  layout: string,
  store: MapStore<K, V>,
  isBetter: (older: V, own: V) => boolean,
  now: (key: K) => V | undefined,
): number {
  const older = openOther(pins, layout, store.definition);
  if (!older) return 0;
  try {
    const known = new Map([...store.read()].map(([key, value]) => [JSON.stringify(key), value]));
    const news = older.entries().flatMap(([key, value]): [K, V][] => {
      const own = known.get(JSON.stringify(key));
      if (own !== undefined && !isBetter(value, own)) return [];
      return [[key, own === undefined ? value : { ...value, ...placeOf(own) }]];
    });
    const wanted = news.filter(([key, value]) => {
      const found = now(key);
      return found === undefined || isBetter(value, found);
    });
    store.update(wanted);
    return wanted.length;
  } finally {
    older.close();
  }
}

/** An entry that is here already keeps its place. */
const placeOf = (own: unknown) => {
  const { place } = own as { place?: number };
  return place === undefined ? {} : { place };
};

function openOther<K, V>(pins: Pins, layout: string, definition: MapDefinition<K, V>): KernelMap<K, V> | undefined {
  const fd = libbpf().getPinned(join(pins.root, layout, "maps", definition.name));
  if (fd < 0) return undefined;
  const own = openMap(pins, definition.name);
  const [before, now] = [fieldsOf(fd), fieldsOf(own)];
  closeSync(own);
  if (!before || !now) {
    closeSync(fd);
    throw new Error(`the kernel does not know the fields of map ${definition.name}`);
  }
  const key = codecOfOther(definition.key, now.key, before.key);
  const value = codecOfOther(definition.value, now.value, before.value, FOUND_ANEW);
  return new KernelMap({ ...definition, maxEntries: mapInfo(fd).maxEntries, key, value }, fd);
}
