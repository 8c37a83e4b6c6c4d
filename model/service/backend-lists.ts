import { type Named, named } from "../named.ts";
import { each, type Steps } from "../steps.ts";
import type { Backend } from "./backend.ts";
import { maglevTable } from "./maglev.ts";
import { nearby } from "./topology.ts";
import { placesOf, weighty } from "./weights.ts";

/** Backends that a frontend chooses among. */
export interface BackendList {
  readonly name: Named;
  /** Each once. */
  readonly backends: readonly Backend[];
  /** The same by their weights: each place is as likely as the others. The ranges [0, localCount) and [clusterFirst, length) may overlap. */
  readonly places: readonly Backend[];
  /** With traffic policy Local: the first places, of backends on this node. */
  readonly localCount: number;
  /** Otherwise: from here. Before are those of this node that only the traffic policy Local may choose. */
  readonly clusterFirst: number;
  /** Ready, but their hints name other nodes or zones, or they weigh nothing: they keep what they have. */
  readonly kept: readonly Backend[];
  /** Maglev's table (maglev.ts) over the backends from `clusterFirst` on; undefined: they are chosen at random. */
  readonly table?: readonly Backend[] | undefined;
}

/** Of what is claimed only. */
export const NO_BACKENDS: BackendList = {
  name: named(""),
  backends: [],
  places: [],
  localCount: 0,
  clusterFirst: 0,
  kept: [],
};

/** For all frontends: ready backends, those near this node if hints say so; when none is ready, those that terminate but
 * still serve (KEP-1669). The traffic policy Local follows no hints: it may choose every ready one of this node. */
export function clusterList(name: string, all: readonly Backend[]): BackendList {
  const eligible = usable(all);
  const cluster = new Set(weighty(nearby(eligible)));
  const local = new Set(weighty(eligible.filter(({ local }) => local)));
  const localOnly = [...local].filter((backend) => !cluster.has(backend));
  const both = [...local].filter((backend) => cluster.has(backend));
  const clusterOnly = [...cluster].filter((backend) => !local.has(backend));
  const backends = [...localOnly, ...both, ...clusterOnly];
  const times = backends.some(({ weight }) => weight !== 1)
    ? placesOf(backends.map(({ weight }) => weight))
    : undefined;
  const placesOfFirst = (count: number) => times?.slice(0, count).reduce((sum, one) => sum + one, 0) ?? count;
  return {
    name: named(name),
    backends,
    places: times ? repeated(backends, times) : backends,
    localCount: placesOfFirst(local.size),
    clusterFirst: placesOfFirst(localOnly.length),
    kept: eligible.filter((backend) => !cluster.has(backend) && !local.has(backend)),
  };
}

function repeated(backends: readonly Backend[], times: readonly number[]): readonly Backend[] {
  return backends.flatMap((backend, at) => new Array<Backend>(times[at] ?? 0).fill(backend));
}

/** The list with its Maglev table; as it was, if it has none, or too many backends for one. */
export function* withTable(list: BackendList): Steps<BackendList> {
  const table = yield* maglevTable([...new Set(list.places.slice(list.clusterFirst))]);
  return table.length > 0 ? { ...list, table } : list;
}

/** The list for frontends with the traffic policy Local. It differs from the cluster's when the last backend here terminates
 * while others are ready elsewhere: traffic that still arrives here is then served to the end, and clients in the cluster,
 * which the policy does not restrict at external addresses, are given the ready ones. */
export function localList(cluster: BackendList, all: readonly Backend[]): BackendList {
  if (cluster.localCount > 0) return cluster;
  const local = clusterList(
    `${cluster.name.name}/local`,
    all.filter((backend) => backend.local),
  );
  if (local.localCount === 0) return cluster;
  const places = local.places.slice(0, local.localCount);
  return {
    ...cluster,
    table: undefined,
    name: local.name,
    backends: [...new Set([...places, ...cluster.backends])],
    places: [...places, ...cluster.places],
    localCount: local.localCount,
    clusterFirst: local.localCount,
  };
}

/** Backends as in the map: one that belongs to no list gets no new connections. */
export function* withDraining(all: readonly Backend[], lists: readonly BackendList[]): Steps<readonly Backend[]> {
  const listed = new Set<Backend>();
  for (const { backends, kept } of lists) {
    yield* each(backends, (backend) => listed.add(backend));
    yield* each(kept, (backend) => listed.add(backend));
  }
  const others = all.filter((backend) => !listed.has(backend));
  if (others.length === 0) return all;
  // Of two ports that lead to the same port of a pod each has an object of its own.
  const names = new Set<string>();
  yield* each(listed, ({ name }) => names.add(name));
  yield;
  return all.map((backend) => (listed.has(backend) || names.has(backend.name) ? backend : backend.drained()));
}

function usable(all: readonly Backend[]): readonly Backend[] {
  const ready = all.filter((backend) => backend.ready);
  return ready.length > 0 ? ready : all.filter((backend) => backend.servingTerminating);
}
