import { covers, hostCidr, parseCidr } from "../address/address.ts";
import { hash32 } from "../hash.ts";
import type { IpamBlock } from "../objects/calico.ts";
import { hasEnded, type Node, type Pod } from "../objects/core.ts";
import { ownAddresses } from "../objects/pod-of.ts";
import { grantOf, lentAddresses } from "./loans.ts";

/** Blocks of nodes that do not exist and that are not needed: no pod of that node, no pod with an address of the block, and no node that
 * borrows one. */
export function blocksOfGoneNodes(
  blocks: readonly IpamBlock[],
  nodes: readonly Node[],
  pods: readonly Pod[],
): IpamBlock[] {
  const names = new Set(nodes.map(({ metadata }) => metadata.name));
  const left = blocks.filter(({ spec }) => !names.has(spec.node));
  if (left.length === 0) return [];
  const running = pods.filter((pod) => !hasEnded(pod));
  const withPods = new Set(running.map(({ spec }) => spec.nodeName));
  const specs = blocks.map(({ metadata, spec }) => ({ ...spec, uid: metadata.uid }));
  const [lent, requests] = [lentAddresses(specs), new Set(specs.map(({ uid }) => uid))];
  const addresses = running.flatMap(ownAddresses).map(hostCidr);
  return left.filter(({ metadata, spec }) => {
    if (withPods.has(spec.node) || spec.lent.some(({ request }) => requests.has(request))) return false;
    const grant = spec.borrows ? grantOf({ ...spec, uid: metadata.uid }, lent) : undefined;
    if (spec.borrows && grant === undefined) return true;
    const cidr = grant === undefined ? parseCidr(spec.cidr) : hostCidr(grant);
    return !addresses.some((address) => covers(cidr, address));
  });
}

/** Whether this node is the one that frees the object: one of those that are ready, another for each object, so that not every agent tries. */
export function isFreedBy(node: string, object: string, nodes: readonly Node[]): boolean {
  const ready = nodes.filter(({ status }) => status.isReady).map(({ metadata }) => metadata.name);
  return ready.length > 0 && ready.sort()[hash32(object) % ready.length] === node;
}
