import { type Address, covers, hostCidr, parseCidr, sizeOf } from "../address/address.ts";
import { CidrIndex } from "../address/cidr-index.ts";
import type { IpamBlock } from "../objects/calico.ts";
import type { Node, Pod } from "../objects/core.ts";
import { ownAddresses } from "../objects/pod-of.ts";

// A node that gets no block of a full pool asks another node for an address of its block: it creates an IPAMBlock that `borrows`, with the network that the address
// may be of. The block's node alone gives addresses of it, so it answers, in `lent` of its block. The borrower has the address while both objects say so.

interface Written {
  readonly cidr: string;
  readonly uid?: string | null | undefined;
  readonly borrows?: string | null | undefined;
  readonly lent?: readonly { readonly address: Address; readonly request: string }[] | undefined;
}

/** The loans of blocks: addresses, by the uids of the requests. Addresses outside a block do not count. */
export function lentAddresses(blocks: readonly Written[]): ReadonlyMap<string, Address> {
  const found = new Map<string, Address>();
  for (const { cidr, lent = [], borrows } of blocks) {
    if (lent.length === 0 || borrows) continue;
    const whole = parseCidr(cidr);
    for (const { address, request } of lent) if (covers(whole, hostCidr(address))) found.set(request, address);
  }
  return found;
}

/** The address of a node's request; undefined: none yet. */
export function grantOf({ uid, cidr }: Written, lent: ReadonlyMap<string, Address>): Address | undefined {
  const address = uid ? lent.get(uid) : undefined;
  return address !== undefined && covers(parseCidr(cidr), hostCidr(address)) ? address : undefined;
}

/** Blocks of the pool whose nodes may have addresses left: of ready nodes but this one, those with the most first. */
export function lenders(
  pool: string,
  node: string,
  { blocks, nodes, pods }: { blocks: readonly IpamBlock[]; nodes: readonly Node[]; pods: readonly Pod[] },
): IpamBlock[] {
  const ready = new Set(nodes.filter(({ status }) => status.isReady).map(({ metadata }) => metadata.name));
  const around = new CidrIndex<{ left: number }>();
  const candidates = blocks
    .filter(({ spec }) => spec.pool === pool && !spec.borrows && spec.node !== node && ready.has(spec.node))
    .map((block) => {
      const cidr = parseCidr(block.spec.cidr);
      const candidate = { block, left: Number(sizeOf(cidr)) };
      around.set(cidr, candidate);
      return candidate;
    });
  for (const address of pods.flatMap(ownAddresses))
    for (const candidate of around.covering(hostCidr(address))) candidate.left--;
  return candidates
    .filter(({ left }) => left > 0)
    .sort((a, b) => b.left - a.left)
    .map(({ block }) => block);
}
