import type { Address } from "../../model/address/address.ts";
import { type Cidr, hostCidr, parseCidr } from "../../model/address/address.ts";
import { CidrIndex } from "../../model/address/cidr-index.ts";
import type { IpamBlock, IpPool } from "../../model/objects/calico.ts";
import type { Problem } from "../../model/problem.ts";
import { LocationFlag } from "../kernel/layout.gen.ts";
import type { NatOutgoing, Route } from "./desired.ts";
import type { NodeDirectory } from "./nodes.ts";
import { type Judged, judgeBlocks } from "./pool-claims.ts";

/** Where workloads may be: IP pools, and the blocks of them that nodes have claimed. */
export interface PoolDirectory {
  /** enum location_flag of a workload address that lives on the node (undefined: on this one, or nobody's). */
  flagsOf(address: Cidr, node: Address | undefined): number;
  /** Whether workloads of any pool are reached through the tunnel on that node. */
  isWrappedTowards(node: Address): boolean;
  readonly pools: readonly { readonly owner: string; readonly cidr: Cidr }[];
  readonly blocks: readonly PlacedBlock[];
  readonly natOutgoing: NatOutgoing;
  readonly problems: readonly Problem[];
}

/** An IPAM block and whose it is: this node's, another's by address, or nobody's we know. */
export interface PlacedBlock {
  readonly owner: string;
  readonly cidr: Cidr;
  readonly holder: "this node" | "another node" | "unknown";
  readonly node: Address | undefined;
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
  const encapsulated = (pool: IpPool | undefined, node: Address) => {
    const mode = pool?.spec.vxlanMode ?? "Never";
    return mode === "Always" || (mode === "CrossSubnet" && subnets.covering(hostCidr(node)).length === 0);
  };
  return {
    pools,
    blocks: blocks.accepted.map(({ object, cidr }) => placed(object, cidr, nodes)),
    problems: [...ipPools.problems, ...blocks.problems],
    natOutgoing: natOutgoing(
      ipPools.accepted.map(({ object }) => object),
      nodes,
    ),
    isWrappedTowards: (node) => ipPools.accepted.some(({ object }) => encapsulated(object, node)),
    flagsOf: (address, node) => {
      const pool = index.covering(address)[0];
      return (
        LocationFlag.POOL |
        (pool?.spec.natOutgoing ? LocationFlag.NAT_OUTGOING : 0) |
        (node && encapsulated(pool, node) ? LocationFlag.ENCAPSULATED : 0)
      );
    },
  };
}

function placed({ metadata, spec }: IpamBlock, cidr: Cidr, nodes: NodeDirectory): PlacedBlock {
  const block = { owner: `IPAMBlock ${metadata.name}`, cidr };
  if (spec.node === nodes.facts.nodeName) return { ...block, holder: "this node", node: undefined };
  const node = nodes.addressOf(spec.node, cidr.family);
  return { ...block, holder: node ? "another node" : "unknown", node };
}

// Between pods and nodes of the cluster nothing is translated: the source address is what this dataplane preserves.
function natOutgoing(pools: readonly IpPool[], nodes: NodeDirectory): NatOutgoing {
  const sources = pools.filter(({ spec }) => spec.natOutgoing).map(({ spec }) => spec.cidr);
  const hosts = [...nodes.addresses.keys()].map((address) => hostCidr(address).text);
  return {
    sources: sources.sort(),
    exclusions: [...new Set([...pools.map(({ spec }) => spec.cidr), ...hosts])].sort(),
  };
}

/** Routes to blocks: another node's through it, and of this node's own what no endpoint has goes nowhere rather than
 * to the default route. */
export function blockRoutes({ blocks, flagsOf }: PoolDirectory): Route[] {
  return blocks.map(({ cidr, node }) =>
    node
      ? {
          to: "node",
          destination: cidr.text,
          node,
          encapsulated: (flagsOf(cidr, node) & LocationFlag.ENCAPSULATED) !== 0,
        }
      : { to: "nowhere", destination: cidr.text },
  );
}
