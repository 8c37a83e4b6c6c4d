import type { Resource } from "../resource.ts";
import { type Cluster, clustersOf } from "./cluster.ts";
import { type Machine, machinesOf } from "./machines.ts";

/** A stack's resources by what they are about. */
export interface Declared {
  resources: Resource[];
  machines: Machine[];
  clusters: Cluster[];
}

/** Reads what is declared; what a stack deletes is declared no more. */
export function declaredOf(resources: Resource[]): Declared {
  const kept = resources.filter(({ change }) => change !== "delete");
  const machines = machinesOf(kept);
  return { resources: kept, machines, clusters: clustersOf(kept, machines) };
}
