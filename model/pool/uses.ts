import type { NodeFacts } from "../node/facts.ts";
import type { IpPool } from "../objects/calico.ts";
import type { Problem } from "../problem.ts";
import type { Judged } from "./claims.ts";

/** Whether a pool's addresses are for load balancers. Such a pool has no workloads. */
export function isForLoadBalancers({ spec }: { readonly spec: Pick<IpPool["spec"], "allowedUses"> }): boolean {
  return spec.allowedUses?.includes("LoadBalancer") ?? false;
}

/** Whether pods get addresses of the pool: a pool that Calico uses for tunnels alone has none for them, and no tunnel of ours needs one. */
export function isForWorkloads({ spec }: IpPool): boolean {
  return !spec.allowedUses || spec.allowedUses.length === 0 || spec.allowedUses.includes("Workload");
}

/** The pools that workloads have addresses of. */
export function workloadPools({ accepted, problems }: Judged<IpPool>): Judged<IpPool> {
  return { accepted: accepted.filter(({ object }) => !isForLoadBalancers(object)), problems };
}

/** The pools that load balancers have addresses of. */
export function loadBalancerPools({ accepted }: Judged<IpPool>): Judged<IpPool>["accepted"] {
  return accepted.filter(({ object }) => isForLoadBalancers(object));
}

const NOT_ASSIGNED =
  "no address is given from this pool: the agents do not assign load balancer addresses. Next: set loadBalancer: true of Dataplane.";

/** The message about pools for load balancers if no agent assigns addresses. */
export function unusedPools(pools: Judged<IpPool>, { loadBalancer = false }: NodeFacts): Problem[] {
  return (loadBalancer ? [] : loadBalancerPools(pools)).map(({ object }) => ({
    kind: "IPPool",
    name: object.metadata.name,
    path: "spec.allowedUses",
    message: NOT_ASSIGNED,
  }));
}
