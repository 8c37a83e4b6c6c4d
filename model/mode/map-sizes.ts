import { z } from "zod";

// How many entries the kernel's tables of a node have: by its memory, or as FelixConfiguration says.

/** Entries, by the maps' names in bpf/. Maps that are not named here have one size everywhere. */
export interface MapSizes {
  /** Places of connections that only their two ends can have established (bpf/connection/place.h), and of all others. */
  readonly proven: number;
  readonly unproven: number;
  readonly affinities: number;
  readonly frontends: number;
  readonly backends: number;
  readonly slots: number;
  readonly members: number;
}

/** What each field of FelixConfiguration may say. */
export const MAP_SIZE_LIMITS = {
  bpfMapSizeConntrack: { least: 1_024, most: 1_048_576 },
  bpfMapSizeNATAffinity: { least: 1_024, most: 1_048_576 },
  bpfMapSizeNATFrontend: { least: 1_024, most: 4_194_304 },
  bpfMapSizeNATBackend: { least: 1_024, most: 4_194_304 },
} as const;
export type MapSizeField = keyof typeof MAP_SIZE_LIMITS;

function entries(field: MapSizeField) {
  const { least, most } = MAP_SIZE_LIMITS[field];
  const range = { error: `allowed are ${least} to ${most} entries` };
  return z.int(range).min(least, range).max(most, range).nullish();
}

/** Their schemas. */
export const mapSizeFields = {
  bpfMapSizeConntrack: entries("bpfMapSizeConntrack"),
  bpfMapSizeNATAffinity: entries("bpfMapSizeNATAffinity"),
  bpfMapSizeNATFrontend: entries("bpfMapSizeNATFrontend"),
  bpfMapSizeNATBackend: entries("bpfMapSizeNATBackend"),
};

/** Entries of connections for each MiB of memory: full of them, the table takes less than 1 % of it. */
const CONNECTIONS_PER_MEBIBYTE = 32;
const LEAST_CONNECTIONS = 65_536;

/** 30,000 Services with four endpoints and 10,000 with ten fit, in two address families. An entry takes memory when it is used. */
const FRONTENDS = 131_072;
const BACKENDS = 524_288;
const DIFFERENT_BACKENDS = 262_144;

/** @param memory of the node, in bytes */
export function mapSizes(spec: Partial<Record<MapSizeField, number | null>>, memory: number): MapSizes {
  const connections = spec.bpfMapSizeConntrack ?? connectionsFor(memory);
  const backends = spec.bpfMapSizeNATBackend ?? BACKENDS;
  const unproven = Math.floor(connections / 4);
  return {
    proven: connections - unproven,
    unproven,
    affinities: spec.bpfMapSizeNATAffinity ?? Math.floor(connectionsFor(memory) / 4),
    frontends: spec.bpfMapSizeNATFrontend ?? FRONTENDS,
    backends: spec.bpfMapSizeNATBackend ?? DIFFERENT_BACKENDS,
    slots: backends,
    members: backends,
  };
}

function connectionsFor(memory: number): number {
  const entries = Math.floor((memory / 2 ** 20) * CONNECTIONS_PER_MEBIBYTE);
  return Math.min(Math.max(entries, LEAST_CONNECTIONS), MAP_SIZE_LIMITS.bpfMapSizeConntrack.most);
}
