import type { Resource } from "../resource.ts";
import { type Cluster, clustersOf } from "./cluster.ts";
import { type Machine, machinesOf } from "./machines.ts";

/** A stack's resources, grouped. */
export interface Declared {
  resources: Resource[];
  machines: Machine[];
  clusters: Cluster[];
}

/** Reads the declared resources; deleted ones are left out. */
export function declaredOf(resources: Resource[]): Declared {
  const kept = resources.filter(({ change }) => change !== "delete");
  const machines = machinesOf(kept);
  return { resources: kept, machines, clusters: clustersOf(kept, machines) };
}
