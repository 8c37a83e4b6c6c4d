import { nodeDirectory } from "../node/nodes.ts";
import { bgpConfiguration } from "../objects/bgp/configuration.ts";
import { bgpFilter } from "../objects/bgp/filter.ts";
import { bgpPeer } from "../objects/bgp/peer.ts";
import { ipamBlock, ipPool } from "../objects/calico.ts";
import { node } from "../objects/core.ts";
import { judgePools } from "../pool/claims.ts";
import { poolDirectory } from "../pool/pools.ts";
import type { Lost } from "../service/frontend-claims.ts";
import type { CompiledService } from "../service/service.ts";
import { judgeBgp } from "./judge.ts";
import type { JudgedBgp } from "./plan.ts";

// Clusters of three nodes in two subnets, as "one" sees them.

export interface World {
  readonly configuration?: object;
  readonly peers?: Readonly<Record<string, object>>;
  readonly filters?: Readonly<Record<string, object>>;
  /** By the node's name. */
  readonly annotations?: Readonly<Record<string, Readonly<Record<string, string>>>>;
  readonly cordoned?: readonly string[];
  /** From external load balancers. */
  readonly excluded?: readonly string[];
  readonly pool?: object;
  readonly services?: readonly CompiledService[];
  readonly lost?: ReadonlyMap<CompiledService, Lost>;
  /** Of pods on "one". */
  readonly pods?: readonly string[];
}

const EXCLUDED = "node.kubernetes.io/exclude-from-external-load-balancers";

export const ADDRESSES = {
  one: ["192.0.2.1", "2001:db8:1::1"],
  two: ["192.0.2.2", "2001:db8:1::2"],
  far: ["198.51.100.3", "2001:db8:2::3"],
} as const;
const BLOCKS = { one: ["10.1.0.0/26", "fd00:1::/122"], two: ["10.1.1.0/26"], far: ["10.1.2.0/26", "fd00:1::1:0/122"] };

const facts = {
  nodeName: "one",
  address: ADDRESSES.one[0],
  addressIpv6: ADDRESSES.one[1],
  subnets: ["192.0.2.0/24", "2001:db8:1::/64"],
  localAddresses: [],
  serviceSubnet: "10.96.0.0/12",
  serviceSubnetIpv6: "fd00:96::/112",
};

export function judged(world: World): JudgedBgp {
  const nodes = Object.entries(ADDRESSES).map(([name, addresses]) =>
    node.parse({
      metadata: {
        name,
        labels: { rack: name, ...(world.excluded?.includes(name) && { [EXCLUDED]: "" }) },
        annotations: world.annotations?.[name],
      },
      spec: { unschedulable: world.cordoned?.includes(name) },
      status: { addresses: addresses.map((address) => ({ type: "InternalIP", address })) },
    }),
  );
  const pool = (name: string, cidr: string) => ipPool.parse({ metadata: { name }, spec: { cidr, ...world.pool } });
  const ipPools = judgePools([pool("four", "10.1.0.0/16"), pool("six", "fd00:1::/64")], facts);
  const blocks = Object.entries(BLOCKS).flatMap(([node, networks]) =>
    networks.map((cidr) =>
      ipamBlock.parse({
        metadata: { name: cidr.replaceAll(/[.:/]/g, "-") },
        spec: { cidr, node, pool: cidr.includes(":") ? "six" : "four" },
      }),
    ),
  );
  const directory = nodeDirectory(nodes, facts);
  const named = <T>(schema: { parse(object: unknown): T }, all: Readonly<Record<string, object>> = {}): T[] =>
    Object.entries(all).map(([name, spec]) => schema.parse({ metadata: { name }, spec }));
  return judgeBgp(
    {
      bgpConfigurations: world.configuration ? named(bgpConfiguration, { default: world.configuration }) : [],
      bgpPeers: named(bgpPeer, world.peers),
      bgpFilters: named(bgpFilter, world.filters),
      nodes,
      endpoints: (world.pods ?? []).map((address) => ({ address })),
    },
    {
      nodes: directory,
      ipPools,
      pools: poolDirectory(ipPools, blocks, directory),
      services: world.services ?? [],
      lost: world.lost ?? new Map(),
    },
  );
}
