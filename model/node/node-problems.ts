import { type Address, familyOf } from "../address/address.ts";
import { firstFew } from "../first-few.ts";
import type { IpPool } from "../objects/calico.ts";
import type { Node } from "../objects/core.ts";
import { unknownAnnotations } from "../objects/ignored.ts";
import type { Judged } from "../pool/claims.ts";
import type { Problem } from "../problem.ts";
import type { NodeFacts } from "./facts.ts";

/** Requests of this machine's Node object that are not fulfilled. Each node reports its own. */
export function nodeProblems(
  nodes: readonly Node[],
  { accepted }: Judged<IpPool>,
  { nodeName, address, addressIpv6 }: NodeFacts,
): Problem[] {
  const own = nodes.find(({ metadata }) => metadata.name === nodeName);
  if (!own) return [];
  const pool = accepted.find(({ object, cidr }) => cidr.family === "IPv6" && !object.spec.disabled)?.object.metadata
    .name;
  const lacking =
    addressIpv6 === undefined && pool !== undefined
      ? [{ kind: "Node", name: nodeName, path: "status.addresses", message: noIpv6Message(pool) }]
      : [];
  return [...lacking, ...apart(nodes, nodeName, address), ...unknownAnnotations("Node", own.metadata)];
}

/** A node with IPv6 alone has no tunnel to nodes that have IPv4. */
function apart(nodes: readonly Node[], nodeName: string, address: Address): Problem[] {
  if (familyOf(address) !== "IPv6") return [];
  const others = nodes.filter(({ metadata, status }) => {
    const isIpv4 = status.addresses.some((one) => one.type === "InternalIP" && familyOf(one.address) === "IPv4");
    return metadata.name !== nodeName && isIpv4;
  });
  if (others.length === 0) return [];
  const names = others.map(({ metadata }) => metadata.name).sort();
  const message = `it has no InternalIP of IPv4, which the tunnels of ${firstFew(names)} use: their pods and its own do not reach each other. Next: give every node an IPv4 InternalIP (--node-ip=IPV4,IPV6), or none.`;
  return [{ kind: "Node", name: nodeName, path: "status.addresses", message }];
}

function noIpv6Message(pool: string): string {
  return `there is no InternalIP of IPv6 that this machine has: its pods get no IPv6 address although the IPPool ${pool} has them. Next: give kubelet one (--node-ip=IPV4,IPV6), or disable the pool.`;
}
