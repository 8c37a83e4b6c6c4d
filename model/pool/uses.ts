import type { NodeFacts } from "../node/facts.ts";
import type { IpPool } from "../objects/calico.ts";
import type { Problem } from "../problem.ts";
import type { Judged } from "./claims.ts";

/** Whether a pool's addresses are for load balancers. Such a pool has no workloads. */
export function isForLoadBalancers({ spec }: IpPool): boolean {
  return spec.allowedUses?.includes("LoadBalancer") ?? false;
}

/** The pools that workloads have addresses of. */
export function workloadPools({ accepted, problems }: Judged<IpPool>): Judged<IpPool> {
  return { accepted: accepted.filter(({ object }) => !isForLoadBalancers(object)), problems };
}

/** The pools that load balancers have addresses of: of IPv4, which nodes announce by ARP. */
export function loadBalancerPools({ accepted }: Judged<IpPool>): Judged<IpPool>["accepted"] {
  return accepted.filter(({ object, cidr }) => isForLoadBalancers(object) && cidr.family === "IPv4");
}

const NOT_ASSIGNED =
  "no address is given from this pool: the agents do not assign load balancer addresses. Next: set loadBalancer: true of Dataplane.";
const NOT_ANNOUNCED =
  "no address is given from this pool: only IPv4 addresses are announced. Next: use an IPv4 network.";

/** What is said of pools for load balancers that give no addresses. */
export function unusedPools({ accepted }: Judged<IpPool>, { loadBalancer = false }: NodeFacts): Problem[] {
  const idle = accepted.filter(
    ({ object, cidr }) => isForLoadBalancers(object) && (!loadBalancer || cidr.family !== "IPv4"),
  );
  return idle.map(({ object, cidr }) => ({
    kind: "IPPool",
    name: object.metadata.name,
    path: "spec.allowedUses",
    message: cidr.family === "IPv4" ? NOT_ASSIGNED : NOT_ANNOUNCED,
  }));
}
