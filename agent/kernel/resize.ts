// Gives a map another size while traffic flows. The old map is set aside and stays in use until the new programs are attached; meanwhile
// the agent fills the new map. Connections are in one table that is never replaced: only their places (bpf/connection/place.h) are new.
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { MapSizes } from "../../model/mode/map-sizes.ts";
import { type Codec, type MapDefinition, u32 } from "./codec.ts";
import { KernelMap } from "./kernel-map.ts";
import { type Connection, ConnectionFlag, type Tuple, tuple } from "./layout.gen.ts";
import { libbpf } from "./libbpf.ts";
import type { MapStores } from "./map-store.ts";
import { mapInfo, pinnedMapInfo } from "./object-info.ts";
import { type CarriedMaps, takeOver } from "./older-layouts.ts";
import { openMap, otherLayouts, type Pins } from "./pins.ts";
import { carryRoomMade, mayBeLookedFor, noteRoomMade, packetClock } from "./room-made.ts";

const WITH_HANDSHAKE = new Set([6, 132]); // IPPROTO_TCP, IPPROTO_SCTP

/** Moves the pins of maps that have another size out of the way, so that new ones are made. The programs keep theirs. */
export function setAside(pins: Pins, sizes: Partial<MapSizes>): void {
  for (const [name, wanted] of Object.entries(sizes)) {
    const pin = join(pins.maps, name);
    const info = pinnedMapInfo(pin);
    if (!info || info.maxEntries === wanted) continue;
    mkdirSync(pins.aside, { recursive: true });
    renameSync(pin, join(pins.aside, `${info.id}-${name}`)); // a bpffs takes no dots
  }
}

/** Switches the hooks to the new programs, with the state of the old ones. If there are many connections, the first look at other
 * layouts takes seconds. So a second look, for entries that were used meanwhile, comes before the switch, and only short ones
 * after it. @param attach calls its argument once older programs are replaced: connections that these opened last wait for that look, not for the rest
 * of the work. @returns sentences for the log */
export function switched(
  pins: Pins,
  maps: CarriedMaps & Pick<MapStores, "settings">,
  attach: (replaced: () => void) => void,
): string[] {
  let since = 0n;
  const look = () => {
    const at = packetClock();
    const found = takeOver(pins, maps, since);
    since = at - COARSE;
    return found;
  };
  const looks = [look()];
  const hasOther = otherLayouts(pins).length > 0;
  if (hasOther) carryRoomMade(pins);
  let lost = settle(pins, maps, hasOther);
  if (hasOther) looks.push(look());
  whileTakingOver(hasOther, maps.settings, () => {
    const lookOnce = () => void (hasOther && looks.push(look()));
    attach(lookOnce);
    lookOnce(); // for hooks that had to be made again
  });
  lost += settle(pins, maps, hasOther);
  const taken = looks.reduce((sum, one) => sum + one.taken, 0);
  const resized = removeSetAside(pins);
  return [
    ...new Set(looks.flatMap(({ told }) => told)),
    ...(taken > 0
      ? [`${taken} entries of connections and affinities are taken over from another layout of the maps`]
      : []),
    ...(resized > 0 ? [`${resized} maps have another size now`] : []),
    ...(lost > 0 ? [`${lost} entries of connections, idle for longest, have no room in the smaller table`] : []),
  ];
}

/** How far the packet path's clock may be behind ours, with much to spare: ns. */
const COARSE = 100_000_000n;

/** How long new programs wait at most for an agent that has ended meanwhile, s: by then its container has been started again. */
export const TAKING_OVER_SECONDS = 60;

/** The new programs do not know connections that the old programs opened since the last look, until the next look. Until then they let
 * such packets wait. */
function whileTakingOver(hasOther: boolean, settings: MapStores["settings"], work: () => void): void {
  const value = settings.lookup(0);
  if (value === undefined || !hasOther) {
    work();
    return;
  }
  const until = Number(packetClock() / 1_000_000_000n) + TAKING_OVER_SECONDS;
  settings.update([[0, { ...value, takingOverUntil: until }]]);
  try {
    work();
  } finally {
    settings.update([[0, { ...value, takingOverUntil: 0 }]]);
  }
}

/** Copies clients' backends from maps that were set aside, and gives connections their places: before the new programs are attached, and
 * once more after that, for entries that the old programs wrote meanwhile. @returns for how many entries of connections there is no
 * room */
function settle(pins: Pins, maps: CarriedMaps, hasOther: boolean): number {
  const names = asideNames(pins);
  for (const name of names.filter((one) => one.endsWith("-affinities"))) carryAffinities(join(pins.aside, name), maps);
  if (!hasOther && !names.some((one) => one.endsWith("proven"))) return 0;
  return placesOf(pins, maps, true) + placesOf(pins, maps, false);
}

/** Removes the old maps, once no program uses them any more. @returns how many there were */
function removeSetAside(pins: Pins): number {
  const { length } = asideNames(pins);
  rmSync(pins.aside, { recursive: true, force: true });
  return length;
}

const asideNames = ({ aside }: Pins) => (existsSync(aside) ? readdirSync(aside) : []);

function carryAffinities(path: string, { affinities }: Pick<MapStores, "affinities">): void {
  const fd = libbpf().getPinned(path);
  if (fd < 0) return;
  const old = new KernelMap(affinities.definition, fd);
  affinities.update(old.entries().filter(([key]) => affinities.lookup(key) === undefined));
  old.close();
}

interface Place {
  readonly taken: bigint;
  readonly tuple: Tuple;
}

/** struct place of bpf/shared/connection.h */
const place: Codec<Place> = {
  size: 8 + tuple.size,
  encode(value, view, at) {
    view.setBigUint64(at, value.taken, true);
    tuple.encode(value.tuple, view, at + 8);
  },
  decode: (view, at) => ({ taken: view.getBigUint64(at, true), tuple: tuple.decode(view, at + 8) }),
};

/** Writes the place of each entry of one class that has none. @returns for how many entries there was no room */
function placesOf(pins: Pins, { connections }: Pick<MapStores, "connections">, proven: boolean): number {
  const fd = openMap(pins, proven ? "proven" : "unproven");
  const { maxEntries } = mapInfo(fd);
  const definition: MapDefinition<number, Place> = {
    ...{ name: proven ? "proven" : "unproven", type: "array", flags: 0, maxEntries },
    ...{ key: u32, value: place },
  };
  const places = new KernelMap(definition, fd);
  const owners = new Map(places.entries().map(([index, { tuple: owner }]) => [index, textOf(owner)]));
  // If there is no room for all, those that were used last stay, including one that has just begun and has no place yet.
  const entries = [...connections.read()]
    .filter((entry) => isProven(entry) === proven)
    .sort(([, a], [, b]) => Number(BigInt.asIntN(64, b.lastSeen - a.lastSeen)));
  const [staying, lost] = [entries.slice(0, maxEntries), entries.slice(maxEntries)];
  const isPlaced = ([key, value]: readonly [Tuple, Connection]) => owners.get(value.place) === textOf(key);
  const take = freePlaces(staying.filter(isPlaced).map(([, value]) => value.place));
  const given = staying
    .filter((entry) => !isPlaced(entry))
    .map(([key, { place }]) => ({ key, place, to: take(place < maxEntries ? place : undefined) }));
  places.update(given.map(({ key, to }, index) => [to, { taken: BigInt(index + 2), tuple: key }]));
  for (const { key, place, to } of given) if (to !== place) move(connections, key, place, to);
  // Removed first: the next packet of such a connection may already need the entry.
  const now = packetClock();
  if (lost.some((entry) => mayBeLookedFor(entry, now))) noteRoomMade(pins, now);
  const removed = lost.filter((entry) => removeUnused(connections, entry));
  places.close();
  return removed.length;
}

/** Removes an entry, unless its addresses and ports have been used since it was read, by the connection or by a new one. Reading all
 * entries takes so long that a client may use a port again. @returns whether the entry is removed */
function removeUnused(connections: MapStores["connections"], [key, read]: readonly [Tuple, Connection]): boolean {
  const now = connections.lookup(key);
  if (now?.lastSeen !== read.lastSeen || now.packets !== read.packets) return false;
  connections.delete([key]);
  return true;
}

/** Keeps what packets have changed in an entry since it was read. An entry that packets have removed, or placed themselves, is left
 * alone. */
function move(connections: MapStores["connections"], key: Tuple, place: number, to: number): void {
  const now = connections.lookup(key);
  if (now?.place === place) connections.update([[key, { ...now, place: to }]]);
}

/** @returns a function that gives the place that is asked for, if it is free, else the next */
function freePlaces(inUse: readonly number[]): (wanted: number | undefined) => number {
  const taken = new Set(inUse);
  let next = 0;
  return (wanted) => {
    while (taken.has(next)) next++;
    const given = wanted === undefined || taken.has(wanted) ? next : wanted;
    taken.add(given);
    return given;
  };
}

const isProven = ([{ protocol }, { flags }]: readonly [Tuple, Connection]) =>
  WITH_HANDSHAKE.has(protocol) && !(flags & ConnectionFlag.FORWARDED);

const textOf = ({ source, destination, sourcePort, destinationPort, protocol }: Tuple) =>
  `${protocol} ${source} ${sourcePort} ${destination} ${destinationPort}`;
