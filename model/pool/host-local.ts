import type { Cidr } from "../address/address.ts";
import {
  type Address,
  contains,
  covers,
  FAMILIES,
  type Family,
  overlap,
  parseCidr,
  readCidr,
  writtenLength,
} from "../address/address.ts";
import { BLOCK_SIZES } from "../objects/block-size.ts";
import type { IpPool } from "../objects/calico.ts";
import type { Node } from "../objects/core.ts";
import type { Problem } from "../problem.ts";
import { isForWorkloads } from "./uses.ts";

// `ipam: HostLocal`: a pod's address is in one of its node's `spec.podCIDRs`. Blocks are claimed as always, but only within these networks,
// so two nodes never give the same address, whatever other nodes do and whenever the setting changes.

/** A part of a pool. */
export interface PoolPart {
  readonly pool: IpPool;
  readonly cidr: string;
}

/** The networks that the Node object gives the node's pods; `hostLocalProblems` reports texts that are no networks. */
export function podCidrsOf(node: Pick<Node, "spec"> | undefined): Cidr[] {
  return (node?.spec.podCIDRs ?? []).flatMap((text) => readCidr(text) ?? []);
}

/** The parts of the pools that the node's pods may use, in the pools' order. */
export function partsOf(pools: readonly IpPool[], podCidrs: readonly Cidr[]): PoolPart[] {
  return pools.flatMap((pool) =>
    podCidrs.flatMap((podCidr) => {
      const whole = parseCidr(pool.spec.cidr);
      if (!overlap(whole, podCidr) || isSmallerThanBlock(podCidr, pool)) return [];
      return [{ pool, cidr: (covers(whole, podCidr) ? podCidr : whole).text }];
    }),
  );
}

/** Why the pools give no address to pods of the node. @param only the one that is asked for */
export function partFault(
  family: Family,
  pools: readonly IpPool[],
  node: Node | undefined,
  only?: Address,
): string | undefined {
  const podCidrs = podCidrsOf(node).filter((cidr) => cidr.family === family);
  const owner = `node ${node?.metadata.name ?? "(unknown)"}`;
  if (podCidrs.length === 0) return `${owner} has no spec.podCIDRs of ${family} (ipam HostLocal)`;
  const has = `spec.podCIDRs of ${owner} (${podCidrs.map(({ text }) => text).join(", ")}; ipam HostLocal)`;
  const parts = partsOf(pools, podCidrs).map(({ cidr }) => parseCidr(cidr));
  if (only !== undefined && !parts.some((cidr) => contains(cidr, only))) return `${only} is not in ${has}`;
  if (parts.length > 0 || pools.length === 0) return undefined;
  const names = pools.map(({ metadata, spec }) => `${metadata.name} (${spec.cidr})`).join(", ");
  return `no block of the IP pools ${names} fits into ${has}`;
}

/** What keeps pods of a node from addresses. @param families those that the node has an address of */
export function hostLocalProblems(node: Node, pools: readonly IpPool[], families: readonly Family[]): Problem[] {
  const { metadata, spec } = node;
  const open = pools.filter((pool) => isForWorkloads(pool) && !pool.spec.disabled);
  const problem = (path: string, message: string) => ({ kind: "Node", name: metadata.name, path, message });
  const faults = spec.podCIDRs.flatMap((text, place) => {
    const fault = faultOf(text, open);
    return fault === undefined ? [] : [problem(`spec.podCIDRs[${place}]`, fault)];
  });
  const given = podCidrsOf(node).map(({ family }) => family);
  const lacking = FAMILIES.filter((family) => {
    const isWanted = families.includes(family) && open.some((pool) => parseCidr(pool.spec.cidr).family === family);
    return isWanted && !given.includes(family);
  });
  return [...faults, ...lacking.map((family) => problem("spec.podCIDRs", noneOf(family)))];
}

function faultOf(text: string, pools: readonly IpPool[]): string | undefined {
  const podCidr = readCidr(text);
  if (!podCidr) return `"${text.slice(0, 100)}" is no network, so pods get no addresses of it.`;
  const around = pools.filter(({ spec }) => overlap(parseCidr(spec.cidr), podCidr));
  const named = pools.map(({ metadata, spec }) => `${metadata.name} (${spec.cidr})`).join(", ") || "none";
  if (around.length === 0)
    return `${podCidr.text} is in no enabled IPPool for pods (there are ${named}), so pods get no addresses of it. Next: make one that has it.`;
  const small = around.find((pool) => isSmallerThanBlock(podCidr, pool));
  return (
    small &&
    `${podCidr.text} is smaller than a block of the IPPool ${small.metadata.name} (blockSize ${blockSizeOf(small)}), so pods get no addresses of it. Next: another pool with a blockSize of ${writtenLength(podCidr)} or more.`
  );
}

function noneOf(family: Family): string {
  return `it has no network of ${family}, and ipam is HostLocal: its pods get no ${family} address. Next: let the controller manager give it one (--allocate-node-cidrs, --cluster-cidr), or set ipam: Pools of Dataplane.`;
}

function isSmallerThanBlock(podCidr: Cidr, pool: IpPool): boolean {
  return writtenLength(podCidr) > blockSizeOf(pool);
}

/** The prefix length of a pool's blocks. */
export function blockSizeOf({ spec }: IpPool): number {
  return spec.blockSize ?? BLOCK_SIZES[parseCidr(spec.cidr).family].usual;
}
