// The packet path's knowledge of connections, taken over from maps of another layout, so that an upgrade ends no connection. The maps
// themselves describe their fields (map-fields.ts), so a version takes over the entries of every other version, older or newer.
import { closeSync } from "node:fs";
import { join } from "node:path";
import { KernelMap } from "./kernel-map.ts";
import {
  type Affinity,
  type Connection,
  ConnectionFlag,
  SECONDS_TCP_OPENING,
  type Secret,
  type Tuple,
} from "./layout.gen.ts";
import { libbpf } from "./libbpf.ts";
import { codecOfOther, fieldsOf } from "./map-fields.ts";
import type { MapStore, MapStores } from "./map-store.ts";
import { mapInfo } from "./object-info.ts";
import { openMap, otherLayouts, type Pins } from "./pins.ts";

export type CarriedMaps = Pick<MapStores, "connections" | "halfOpen" | "affinities">;

/** Fields of an entry that the new version finds again. A place is a place in the new tables. */
const FOUND_ANEW = ["next_hop", "place", "padding"];

/** Whether to keep the other layout's entry of a direction: the entry that was used later is kept. But if the old programs saw a
 * request, the new programs take its answer for a flow of its own and open a connection for it: the answer would leave with the
 * backend's address for as long as the client sends. So if two entries of one direction were used at the same time and differ in this,
 * the one of the answer is right. */
function isKnownBetter(older: Connection, own: Connection): boolean {
  const [isAnswer, ownIsAnswer] = [older, own].map(({ flags }) => (flags & ConnectionFlag.REPLY) !== 0);
  const later = older.lastSeen - own.lastSeen;
  const isOfOneTime = later < OPENING && -later < OPENING;
  return isAnswer !== ownIsAnswer && isOfOneTime ? isAnswer === true : later > 0n;
}

const OPENING = BigInt(SECONDS_TCP_OPENING) * 1_000_000_000n;

/** Writes the entries of maps of other layouts that these maps lack, or have in an older state. Called before the new programs are
 * attached, and once more after that, for entries that the old programs wrote meanwhile. @param since entries that were not used after
 * that are known from an earlier look: ns of the clock that the packet path reads; 0: there was none. @returns sentences for the log */
export function takeOver(
  pins: Pins,
  maps: CarriedMaps,
  since = 0n,
): { readonly taken: number; readonly told: readonly string[] } {
  let taken = 0;
  const told: string[] = [];
  for (const layout of otherLayouts(pins)) {
    const carried = <K, V>(...how: Carrying<K, V>) => carry(openOther(pins, layout, how[0]), since, ...how);
    try {
      // `halfOpen` first: an entry is written to the other table before it leaves this one.
      const now = (key: Tuple) => maps.halfOpen.lookup(key) ?? maps.connections.lookup(key);
      taken += carried(maps.connections, isKnownBetter, now);
      taken += carried(maps.halfOpen, isKnownBetter, now);
      const isLater = (older: Affinity, own: Affinity) => older.lastUsed > own.lastUsed;
      taken += carried(maps.affinities, isLater, (key) => maps.affinities.lookup(key));
    } catch (error) {
      told.push(
        `connections of layout ${layout} are not taken over: ${error instanceof Error ? error.message : error}`,
      );
    }
  }
  return { taken, told };
}

/** The secret by which older programs chose backends. With another secret, the backends of connections whose entries made room would not
 * be found again. */
export function olderSecret(pins: Pins, { secrets }: Pick<MapStores, "secrets">): Secret | undefined {
  for (const layout of otherLayouts(pins)) {
    try {
      const older = openOther(pins, layout, secrets);
      const [found] = older?.map.entries() ?? [];
      older?.map.close();
      if (found && (found[1].low !== 0n || found[1].high !== 0n)) return found[1];
    } catch {
      // Continues as if that layout had no secret.
    }
  }
  return undefined;
}

/** @param now returns the current entry of a key when its entry is written: meanwhile a connection can have begun from the port of one
 * that has ended */
type Carrying<K, V> = [store: MapStore<K, V>, isBetter: (older: V, own: V) => boolean, now: (key: K) => V | undefined];

/** Entries that are written at once; their current versions are read shortly before. */
const PART = 256;

function carry<K, V>(older: Older<K, V> | undefined, since: bigint, ...[store, isBetter, now]: Carrying<K, V>): number {
  if (!older) return 0;
  let taken = 0;
  try {
    for (const part of partsOf(usedSince(older, since), PART)) {
      const wanted = part.flatMap(([key, value]): [K, V][] => {
        const own = now(key);
        if (own === undefined) return [[key, value]];
        return isBetter(value, own) ? [[key, { ...value, ...placeOf(own) }]] : [];
      });
      store.update(wanted);
      taken += wanted.length;
    }
    return taken;
  } finally {
    older.map.close();
  }
}

function* partsOf<T>(items: Iterable<T>, length: number): Iterable<readonly T[]> {
  let part: T[] = [];
  for (const item of items) {
    part.push(item);
    if (part.length < length) continue;
    yield part;
    part = [];
  }
  if (part.length > 0) yield part;
}

/** Only entries that were used since then are decoded: most connections are idle. */
function* usedSince<K, V>({ map, usedAt }: Older<K, V>, since: bigint): Iterable<[K, V]> {
  const batches = map.batches();
  let next = batches.next();
  if (since === 0n || usedAt === undefined || (next.done && !next.value)) return yield* map.read();
  const { key, value } = map.definition;
  for (; !next.done; next = batches.next()) {
    const { keys, values, count } = next.value;
    for (let index = 0; index < count; index++) {
      if (values.getBigUint64(index * value.size + usedAt, true) < since) continue;
      yield [key.decode(keys, index * key.size), value.decode(values, index * value.size)];
    }
  }
}

/** An entry that exists here keeps its place. */
const placeOf = (own: unknown) => {
  const { place } = own as { place?: number };
  return place === undefined ? {} : { place };
};

/** A map of another layout. */
interface Older<K, V> {
  readonly map: KernelMap<K, V>;
  /** Where its values record when they were last used, in ns; undefined: they do not. */
  readonly usedAt: number | undefined;
}

const USED = ["last_seen", "last_used"];

function openOther<K, V>(pins: Pins, layout: string, { definition }: MapStore<K, V>): Older<K, V> | undefined {
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
  const map = new KernelMap({ ...definition, maxEntries: mapInfo(fd).maxEntries, key, value }, fd);
  const used = USED.flatMap((name) => before.value.at.get(name) ?? []).find(({ size }) => size === 8);
  return { map, usedAt: used?.offset };
}
