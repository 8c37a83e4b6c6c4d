import type { Address, Family } from "../address/address.ts";
import { type Cidr, covers, hostCidr, parseCidr } from "../address/address.ts";
import { CidrIndex } from "../address/cidr-index.ts";
import type { NodeDirectory } from "../node/nodes.ts";
import type { IpamBlock, IpPool } from "../objects/calico.ts";
import type { Problem } from "../problem.ts";
import { type Judged, judgeBlocks } from "./claims.ts";
import { type Encapsulation, encapsulationFor, encapsulationOf } from "./encapsulation.ts";

/** Where workloads may be: IP pools, and the blocks of them that nodes have claimed. */
export interface PoolDirectory {
  /** The traits of a workload address on the node (undefined: on this one, or on none). */
  traitsOf(address: Cidr, node: Address | undefined): PoolTraits;
  /** The encapsulation of workloads' packets to an address of that node itself: the same as to its workloads. Undefined: they are not
   * wrapped. */
  encapsulationTowards(node: Address, family: Family): Encapsulation | undefined;
  readonly pools: readonly { readonly owner: string; readonly cidr: Cidr }[];
  readonly blocks: readonly PlacedBlock[];
  readonly problems: readonly Problem[];
}

/** How an address's pool handles its traffic. */
export interface PoolTraits {
  /** Whether traffic to anything but pools and nodes leaves with the node's own address. Between those, this dataplane keeps the source
   * address. */
  readonly natOutgoing: boolean;
  /** The encapsulation from this node to the address's node; undefined: it is not wrapped. */
  readonly encapsulation: Encapsulation | undefined;
}

/** An IPAM block, or an address that another node has borrowed of it, and who has it: this node, another node by address, or an unknown one. */
export interface PlacedBlock {
  readonly owner: string;
  readonly cidr: Cidr;
  readonly holder: "this node" | "another node" | "unknown";
  /** The holder's name. */
  readonly nodeName: string;
  /** That node's tunnel address. */
  readonly node: Address | undefined;
  /** That node's address of the block's family: where packets that are not encapsulated go. */
  readonly router: Address | undefined;
  /** Whether `router` is in a subnet of this node. If not, the network carries packets that are not encapsulated. */
  readonly onLink: boolean;
}

export function poolDirectory(
  ipPools: Judged<IpPool>,
  ipamBlocks: readonly IpamBlock[],
  nodes: NodeDirectory,
): PoolDirectory {
  const index = new CidrIndex<IpPool>();
  const pools = ipPools.accepted.map(({ object, cidr }) => {
    index.set(cidr, object);
    return { owner: `IPPool ${object.metadata.name}`, cidr };
  });
  const blocks = judgeBlocks(ipamBlocks, ipPools.accepted, nodes.facts);
  const subnets = new CidrIndex<true>();
  for (const subnet of nodes.facts.subnets) subnets.set(parseCidr(subnet), true);
  const isOnLink = (node: Address) => subnets.covering(hostCidr(node)).length > 0;
  const encapsulation = (pool: IpPool, node: Address): Encapsulation | undefined => {
    const { mode } = encapsulationOf(pool);
    const isWrapped = mode === "Always" || (mode === "CrossSubnet" && !isOnLink(node));
    return isWrapped ? encapsulationFor(pool, node) : undefined;
  };
  return {
    pools,
    blocks: blocks.accepted.flatMap(({ object, cidr }) => [
      placedBlock(object, cidr, object.spec.node, nodes, isOnLink),
      ...lentOf(object, cidr).map((one) => placedBlock(object, one.cidr, one.node, nodes, isOnLink)),
    ]),
    problems: [...ipPools.problems, ...blocks.problems],
    encapsulationTowards: (node, family) => {
      const wrapped = ipPools.accepted.flatMap(({ object, cidr }) => {
        const used = encapsulation(object, node);
        return used ? [{ used, family: cidr.family }] : [];
      });
      if (wrapped.length === 0) return undefined;
      const own = wrapped.filter((one) => one.family === family);
      return own.length > 0 && own.every(({ used }) => used === "IPIP") ? "IPIP" : "VXLAN";
    },
    traitsOf: (address, node) => {
      const pool = index.covering(address)[0];
      return {
        natOutgoing: pool?.spec.natOutgoing ?? false,
        encapsulation: node !== undefined && pool ? encapsulation(pool, node) : undefined,
      };
    },
  };
}

/** The addresses of a block that are at other nodes: the longest prefix counts. */
function lentOf({ spec }: IpamBlock, block: Cidr): { readonly cidr: Cidr; readonly node: string }[] {
  return spec.lent
    .map(({ address, node }) => ({ cidr: hostCidr(address), node }))
    .filter(({ cidr }) => covers(block, cidr));
}

function placedBlock(
  { metadata }: IpamBlock,
  cidr: Cidr,
  name: string,
  nodes: NodeDirectory,
  isOnLink: (node: Address) => boolean,
): PlacedBlock {
  const block = { owner: `IPAMBlock ${metadata.name}`, cidr, nodeName: name };
  if (name === nodes.facts.nodeName)
    return { ...block, holder: "this node", node: undefined, router: undefined, onLink: false };
  const node = nodes.underlayOf(name);
  const router = nodes.addressOf(name, cidr.family);
  const onLink = router !== undefined && isOnLink(router);
  return { ...block, holder: node ? "another node" : "unknown", node, router, onLink };
}
