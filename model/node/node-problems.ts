import type { IpPool } from "../objects/calico.ts";
import type { Node } from "../objects/core.ts";
import { unknownAnnotations } from "../objects/ignored.ts";
import type { Judged } from "../pool/claims.ts";
import type { Problem } from "../problem.ts";
import type { NodeFacts } from "./facts.ts";

/** What this machine's Node object asks and does not get. Each node tells of its own. */
export function nodeProblems(
  nodes: readonly Node[],
  { accepted }: Judged<IpPool>,
  { nodeName, addressIpv6 }: NodeFacts,
): Problem[] {
  const own = nodes.find(({ metadata }) => metadata.name === nodeName);
  if (!own) return [];
  const pool = accepted.find(({ object, cidr }) => cidr.family === "IPv6" && !object.spec.disabled)?.object.metadata
    .name;
  const lacking =
    addressIpv6 === undefined && pool !== undefined
      ? [{ kind: "Node", name: nodeName, path: "status.addresses", message: without(pool) }]
      : [];
  return [...lacking, ...unknownAnnotations("Node", own.metadata)];
}

function without(pool: string): string {
  return `there is no InternalIP of IPv6 that this machine has: its pods get no IPv6 address although the IPPool ${pool} has them. Next: give kubelet one (--node-ip=IPV4,IPV6), or disable the pool.`;
}
