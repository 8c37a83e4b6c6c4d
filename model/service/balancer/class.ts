import type { Service } from "../../objects/core.ts";

/** spec.loadBalancerClass of Services whose load balancer is this dataplane, whatever else is in the cluster. */
export const LOAD_BALANCER_CLASS = "ebpf-dataplane.io/load-balancer";

/** Whether the Service's load balancer is this dataplane, where it is one: a class of another name is another's. */
export function hasOwnBalancer({ spec }: Service): boolean {
  return spec.type === "LoadBalancer" && [undefined, null, "", LOAD_BALANCER_CLASS].includes(spec.loadBalancerClass);
}
