// Another size of a map, while traffic flows. The old map is set aside and stays in use until the new programs are attached; meanwhile the
// agent fills the new one. Connections are in one table that is never replaced: only their places (bpf/connection/place.h) are new.
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { MapSizes } from "../../model/mode/map-sizes.ts";
import { type Codec, type MapDefinition, u32 } from "./codec.ts";
import { KernelMap } from "./kernel-map.ts";
import { type Connection, ConnectionFlag, SettingsFlag, type Tuple, tuple } from "./layout.gen.ts";
import { libbpf } from "./libbpf.ts";
import type { MapStores } from "./map-store.ts";
import { mapInfo, pinnedMapInfo } from "./object-info.ts";
import { type CarriedMaps, takeOver } from "./older-layouts.ts";
import { openMap, otherLayouts, type Pins } from "./pins.ts";

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

/** Has the hooks switched to the new programs, with the state of the old ones. @returns what to tell about it */
export function switched(pins: Pins, maps: CarriedMaps & Pick<MapStores, "settings">, attach: () => void): string[] {
  const [before, after] = whileTakingOver(pins, maps.settings, () => {
    const first = carryOver(pins, maps);
    attach();
    return [first, carryOver(pins, maps)] as const;
  });
  const lost = before.lost + after.lost;
  const taken = before.taken + after.taken;
  const resized = removeSetAside(pins);
  return [
    ...before.told,
    ...(taken > 0
      ? [`${taken} entries of connections and affinities are taken over from another layout of the maps`]
      : []),
    ...(resized > 0 ? [`${resized} maps have another size now`] : []),
    ...(lost > 0 ? [`${lost} entries of connections, idle for longest, have no room in the smaller table`] : []),
  ];
}

/** What the old programs open after the first look, the new ones know only after the second: until then they wait for it. An agent that is
 * killed meanwhile leaves the flag to the next one, which removes it when it writes the settings. */
function whileTakingOver<T>(pins: Pins, settings: MapStores["settings"], work: () => T): T {
  const value = settings.lookup(0);
  if (value === undefined || otherLayouts(pins).length === 0) return work();
  const settled = { ...value, flags: value.flags & ~SettingsFlag.TAKING_OVER };
  settings.update([[0, { ...settled, flags: settled.flags | SettingsFlag.TAKING_OVER }]]);
  try {
    return work();
  } finally {
    settings.update([[0, settled]]);
  }
}

/** Gives the new maps what the packet path had written to those set aside: before the new programs are attached, and once more after
 * that, for what the old ones wrote meanwhile. @returns how many entries of connections there is no room for, and how many are from
 * another layout */
export function carryOver(pins: Pins, maps: CarriedMaps) {
  const older = takeOver(pins, maps);
  const names = asideNames(pins);
  for (const name of names.filter((one) => one.endsWith("-affinities"))) carryAffinities(join(pins.aside, name), maps);
  const lost =
    older.taken > 0 || names.some((one) => one.endsWith("proven"))
      ? placesOf(pins, maps, true) + placesOf(pins, maps, false)
      : 0;
  return { ...older, lost };
}

/** Once no program uses the old maps any more. @returns how many there were */
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

/** Writes the place of each entry of one class that has none. @returns how many entries there was no room for */
function placesOf(pins: Pins, { connections }: Pick<MapStores, "connections">, proven: boolean): number {
  const fd = openMap(pins, proven ? "proven" : "unproven");
  const { maxEntries } = mapInfo(fd);
  const definition: MapDefinition<number, Place> = {
    ...{ name: proven ? "proven" : "unproven", type: "array", flags: 0, maxEntries },
    ...{ key: u32, value: place },
  };
  const places = new KernelMap(definition, fd);
  const owners = new Map(places.entries().map(([index, { tuple: owner }]) => [index, textOf(owner)]));
  // Where all do not fit, those that were used last stay: also one that has just begun, of which no place is known yet.
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
  const removed = lost.filter((entry) => removeUnused(connections, entry));
  places.close();
  return removed.length;
}

/** Unless its addresses and ports have been used since it was read, by the connection or by a new one: reading all of them takes so long that a client
 * comes to use a port again. @returns whether it is removed */
function removeUnused(connections: MapStores["connections"], [key, read]: readonly [Tuple, Connection]): boolean {
  const now = connections.lookup(key);
  if (now?.lastSeen !== read.lastSeen || now.packets !== read.packets) return false;
  connections.delete([key]);
  return true;
}

/** What packets have changed of an entry since it was read stays. One that they have removed, or placed themselves, is left alone. */
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
