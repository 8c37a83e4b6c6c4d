import { heaviestFirst } from "../heaviest-first.ts";
import type { Service } from "../objects/core.ts";
import type { EndpointSlice } from "../objects/discovery.ts";
import type { Problem } from "../problem.ts";
import { each, type Steps } from "../steps.ts";
import { tableEntries } from "./backend-selection.ts";
import { portIn } from "./backends.ts";
import { frontendCount } from "./frontends.ts";
import { type CompiledService, isServed, ownerOf } from "./service.ts";
import { repeatsIn, type Weights } from "./weights.ts";

/** The limits of one Service, or of the host ports of one pod. One that exceeds them is closed, that is, not served: it could keep
 * an agent busy for minutes, or use up its node's memory. */
export const SERVICE_LIMITS = {
  /** Addresses times ports that clients may use. */
  frontends: 4_096,
  /** Endpoints times ports. */
  endpoints: 65_536,
} as const;

/** What all of them may hold on one node. */
export interface Room {
  readonly frontends: number;
  /** Over all ports, with what weights add and the entries of Maglev tables. */
  readonly endpoints: number;
  /** Different endpoints. */
  readonly backends: number;
  /** Ranges of all `loadBalancerSourceRanges`. */
  readonly sourceRanges: number;
}

type Limited = keyof typeof SERVICE_LIMITS;

const LIMITED = ["frontends", "endpoints"] as const;

export interface Counts extends Record<Limited, number> {
  /** Entries of Maglev tables, which stand beside the endpoints. */
  readonly tables?: number;
  /** Places that endpoints have by their weights beside one for each. */
  readonly repeats?: number;
}

const WORDS: Record<Limited, string> = {
  frontends: "addresses and ports for clients",
  endpoints: "endpoints, over all its ports",
};

/** What the Service will hold, at most. Counting ends where it is too much. */
export function* countsOf(service: Service, slices: readonly EndpointSlice[], weights: Weights): Steps<Counts> {
  const counts = { frontends: isServed(service) ? frontendCount(service) : 0, endpoints: 0 };
  if (counts.frontends === 0 || counts.frontends > SERVICE_LIMITS.frontends) return counts;
  for (const slice of slices) {
    if (slice.endpoints.length === 0) continue;
    if (counts.endpoints > SERVICE_LIMITS.endpoints) break;
    yield* each(service.spec.ports, (port) => {
      if (portIn(slice, port) !== undefined) counts.endpoints += slice.endpoints.length;
    });
    yield;
  }
  const tables = tableEntries(service, slices);
  const repeats = weights.size > 0 ? repeatsOf(service, slices, weights) : 0;
  return { ...counts, ...(tables > 0 && { tables }), ...(repeats > 0 && { repeats }) };
}

function repeatsOf({ spec }: Service, slices: readonly EndpointSlice[], weights: Weights): number {
  let sum = 0;
  for (const port of spec.ports) {
    const having = slices.filter((slice) => portIn(slice, port) !== undefined);
    for (const family of Map.groupBy(having, ({ addressType }) => addressType).values())
      sum += repeatsIn(family, weights);
  }
  return sum;
}

/** What may be closed to make room. */
export interface Load {
  readonly owner: string;
  readonly namespace: string;
  readonly counts: Counts;
}

export function loadOf(service: Service, counts: Counts): Load {
  return { owner: ownerOf(service), namespace: service.metadata.namespace ?? "", counts };
}

/** Why an object is closed. */
export interface Closed {
  readonly why: string;
  /** Also its frontends are too many: they are not there at all. Otherwise clients are refused at them. */
  readonly frontends: boolean;
}

/** Who is closed, by owner: what is too large by itself, then as many as it takes until the others have room, and `more`
 * beyond them. */
export function closing(loads: readonly Load[], node: string, room: Room, more: number): ReadonlyMap<string, Closed> {
  const closed = new Map<string, Closed>();
  const sums = { frontends: 0, endpoints: 0 };
  for (const { owner, counts } of loads) {
    const reason = overLimit(counts);
    if (reason) closed.set(owner, reason);
    else {
      sums.frontends += counts.frontends;
      sums.endpoints += roomOf(counts);
    }
  }
  const fits = () => sums.frontends <= room.frontends && sums.endpoints <= room.endpoints;
  if (fits() && more === 0) return closed;
  const frontends = sums.frontends > room.frontends;
  const why = `does not fit beside the others of node ${node}, which have room for ${roomInWords(room)}`;
  let rest = more;
  const standing = loads.filter(({ owner }) => !closed.has(owner));
  for (const { owner, counts } of heaviestFirst(
    standing.map((load) => ({ ...load, weight: weightOf(load.counts, room) })),
  )) {
    if (fits() && rest-- <= 0) break;
    if (frontends) sums.frontends -= counts.frontends;
    sums.endpoints -= roomOf(counts);
    closed.set(owner, { why, frontends });
  }
  return closed;
}

function roomInWords({ frontends, endpoints, backends }: Room): string {
  return `${frontends} addresses and ports, ${endpoints} endpoints over all ports and ${backends} different ones`;
}

function overLimit(counts: Counts): Closed | undefined {
  const over = LIMITED.find((name) => counts[name] > SERVICE_LIMITS[name]);
  return over && { why: `has more than ${SERVICE_LIMITS[over]} ${WORDS[over]}`, frontends: over === "frontends" };
}

/** The largest part that it takes of any map. */
function weightOf(counts: Counts, room: Room): number {
  const { frontends, endpoints } = counts;
  return Math.max(frontends / room.frontends, endpoints / room.backends, roomOf(counts) / room.endpoints);
}

/** What endpoints, their weights and tables take together. */
function roomOf({ endpoints, tables = 0, repeats = 0 }: Counts): number {
  return endpoints + tables + repeats;
}

/** The object as it is while it is closed. `empty` is it without endpoints. */
export function closedService(empty: CompiledService, { why, frontends }: Closed): CompiledService {
  const { kind, object } = empty;
  const { namespace, name } = object.metadata;
  const message = `${why}. It serves no client until it is smaller. Next: split it.`;
  const problem: Problem = { kind, namespace: namespace ?? undefined, name, path: "spec", message };
  const problems = [...empty.problems, problem];
  return frontends ? { ...empty, frontends: [], lists: [], clients: [], problems } : { ...empty, problems };
}
