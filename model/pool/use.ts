import { covers, hostCidr, parseCidr, sizeOf } from "../address/address.ts";
import { CidrIndex } from "../address/cidr-index.ts";
import type { IpamBlock, IpPool } from "../objects/calico.ts";
import type { Node, Pod } from "../objects/core.ts";
import { ownAddresses } from "../objects/pod-of.ts";
import { wrappingText } from "./encapsulation.ts";
import { partsOf, podCidrsOf } from "./host-local.ts";
import { isForWorkloads } from "./uses.ts";

/** How many addresses a pool has, how many are in blocks of nodes, and how many pods have. */
export interface PoolUse {
  readonly pool: string;
  readonly cidr: string;
  readonly all: number;
  readonly claimed: number;
  readonly used: number;
  /** How packets to pods of the pool travel between nodes. */
  readonly wrapping: string;
  readonly byNode: ReadonlyMap<string, NodeUse>;
  readonly byNamespace: ReadonlyMap<string, number>;
}

export interface NodeUse {
  readonly claimed: number;
  readonly used: number;
  /** With `ipam: HostLocal`, the parts of the pool that the node's pods may use. */
  readonly podCidr?: string;
}

class Count {
  claimed = 0;
  used = 0;
  readonly byNode = new Map<string, { claimed: number; used: number; podCidr?: string }>();
  readonly byNamespace = new Map<string, number>();

  of(node: string): { claimed: number; used: number; podCidr?: string } {
    const known = this.byNode.get(node) ?? { claimed: 0, used: 0 };
    this.byNode.set(node, known);
    return known;
  }
}

/** Of every pool for pods, by name. What pods have is what their status says. @param hostLocal nodes of which pods have addresses of `spec.podCIDRs` alone */
export function poolUse(
  pools: readonly IpPool[],
  blocks: readonly IpamBlock[],
  pods: readonly Pod[],
  hostLocal: readonly Node[] = [],
): PoolUse[] {
  const named = pools
    .filter(isForWorkloads)
    .map((pool) => ({ pool, cidr: parseCidr(pool.spec.cidr), count: new Count() }));
  const byName = new Map(named.map((one) => [one.pool.metadata.name, one]));
  for (const node of hostLocal)
    for (const { pool, cidr } of partsOf(pools, podCidrsOf(node))) {
      const count = byName.get(pool.metadata.name)?.count.of(node.metadata.name);
      if (count) count.podCidr = cidr;
    }
  const around = new CidrIndex<Count>();
  for (const { cidr, count } of named) around.set(cidr, count);
  for (const { spec } of blocks.filter((block) => !block.spec.borrows)) {
    const [cidr, pool] = [parseCidr(spec.cidr), byName.get(spec.pool)];
    if (!pool || !covers(pool.cidr, cidr)) continue;
    const size = Number(sizeOf(cidr));
    pool.count.claimed += size;
    pool.count.of(spec.node).claimed += size;
  }
  for (const pod of pods)
    for (const address of ownAddresses(pod)) {
      const count = around.covering(hostCidr(address))[0];
      if (!count) continue;
      const namespace = pod.metadata.namespace ?? "default";
      count.used++;
      count.of(pod.spec.nodeName ?? "").used++;
      count.byNamespace.set(namespace, (count.byNamespace.get(namespace) ?? 0) + 1);
    }
  return named
    .map(({ pool, cidr, count: { claimed, used, byNode, byNamespace } }) => ({
      ...{ pool: pool.metadata.name, cidr: cidr.text, all: Number(sizeOf(cidr)), claimed, used, byNode, byNamespace },
      wrapping: wrappingText(pool),
    }))
    .sort((a, b) => (a.pool < b.pool ? -1 : 1));
}
