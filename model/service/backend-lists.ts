import { type Named, named } from "../named.ts";
import { each, type Steps } from "../steps.ts";
import type { Backend } from "./backends.ts";
import { maglevTable } from "./maglev.ts";
import { nearby } from "./topology.ts";

/** Backends that a frontend chooses among. The ranges [0, localCount) and [clusterFirst, length) may overlap. */
export interface BackendList {
  readonly name: Named;
  readonly backends: readonly Backend[];
  /** With traffic policy Local: the first ones, which are on this node. */
  readonly localCount: number;
  /** Otherwise: from here. Before are those of this node that only the traffic policy Local may choose. */
  readonly clusterFirst: number;
  /** Ready, but their hints name other nodes or zones: they keep what they have. */
  readonly kept: readonly Backend[];
  /** Maglev's table (maglev.ts) over the backends from `clusterFirst` on; undefined: they are chosen at random. */
  readonly table?: readonly Backend[] | undefined;
}

/** Of what is claimed only. */
export const NO_BACKENDS: BackendList = { name: named(""), backends: [], localCount: 0, clusterFirst: 0, kept: [] };

/** For all frontends: ready backends, those near this node if hints say so; when none is ready, those that terminate but
 * still serve (KEP-1669). The traffic policy Local follows no hints: it may choose every ready one of this node. */
export function clusterList(name: string, all: readonly Backend[]): BackendList {
  const eligible = usable(all);
  const near = new Set(nearby(eligible));
  const here = eligible.filter(({ local }) => local);
  const farHere = here.filter((backend) => !near.has(backend));
  const elsewhere = eligible.filter(({ local }) => !local);
  return {
    name: named(name),
    backends: [
      ...farHere,
      ...here.filter((backend) => near.has(backend)),
      ...elsewhere.filter((backend) => near.has(backend)),
    ],
    localCount: here.length,
    clusterFirst: farHere.length,
    kept: elsewhere.filter((backend) => !near.has(backend)),
  };
}

/** The list with its Maglev table; as it was, if it has none, or too many backends for one. */
export function* withTable(list: BackendList): Steps<BackendList> {
  const table = yield* maglevTable(list.backends.slice(list.clusterFirst));
  return table.length > 0 ? { ...list, table } : list;
}

/** The list for frontends with the traffic policy Local. It differs from the cluster's when the last backend here terminates
 * while others are ready elsewhere: traffic that still arrives here is then served to the end, and clients in the cluster,
 * which the policy does not restrict at external addresses, are given the ready ones. */
export function localList(cluster: BackendList, all: readonly Backend[]): BackendList {
  if (cluster.localCount > 0) return cluster;
  const local = usable(all.filter((backend) => backend.local));
  if (local.length === 0) return cluster;
  return {
    ...cluster,
    table: undefined,
    name: named(`${cluster.name.name}/local`),
    backends: [...local, ...cluster.backends],
    localCount: local.length,
    clusterFirst: local.length,
  };
}

/** Backends as in the map: one that belongs to no list gets no new connections. */
export function* withDraining(all: readonly Backend[], lists: readonly BackendList[]): Steps<readonly Backend[]> {
  const listed = new Set<string>();
  for (const { backends, kept } of lists) {
    yield* each(backends, ({ name }) => listed.add(name.name));
    yield* each(kept, ({ name }) => listed.add(name.name));
  }
  yield;
  return all.map((backend) => {
    if (listed.has(backend.name.name)) return backend;
    return { ...backend, draining: true };
  });
}

function usable(all: readonly Backend[]): readonly Backend[] {
  const ready = all.filter((backend) => backend.ready);
  return ready.length > 0 ? ready : all.filter((backend) => backend.servingTerminating);
}
