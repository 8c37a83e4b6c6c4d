import { addressAt, parseCidr } from "../../model/address/address.ts";
import type { AwsMachine } from "../aws/machine.ts";
import { ReturnMode } from "../dataplane/args.ts";
import { POD_NETWORK } from "../documents/defaults.ts";
import { IpipMode, type IpPoolSpec, VxlanMode } from "../ip-pool/args.ts";
import { MachineRole, WALK_THROUGH_MACHINES } from "../machine/machine.ts";
import { at, type InputPlace, refuse } from "../refusal/refusal.ts";
import { cidrRule, isInside, networksOverlap } from "../rules/addresses.ts";
import { familiesOf } from "../rules/families.ts";
import { type AwsClusterArgs, PodRouting } from "./args.ts";
import { isAlwaysWrapped } from "./firewall.ts";

/** The pods of one node: the destination of a route. */
export interface PodBlock {
  node: string;
  cidr: string;
}

/** How pods' packets get from node to node. */
export interface PodTransport {
  sourceDestCheck: boolean;
  /** The arguments that decide it. */
  vxlanMode?: VxlanMode;
  /** The networks that the VPC routes to each node; empty without `CloudRoutes`. */
  podBlocks: PodBlock[];
}

/** Prefix length of a node's block as Kubernetes' controller manager assigns it, and of the smallest block, which is one block of an
 * IPPool. */
const [USUAL, SMALLEST] = [24, 26];

/**
 * The IP pools of a cluster with `podRouting: CloudRoutes`, one for each node with the addresses that the VPC routes to it: the argument
 * `ipPools` of its `Dataplane`. Give it the same `machines` and `podSubnet` as `AwsCluster`.
 */
export function cloudRoutePools({
  machines,
  podSubnet,
}: {
  machines?: AwsMachine[];
  podSubnet?: string;
} = {}): IpPoolSpec[] {
  return podBlocks(machines, podSubnet).map(({ node, cidr }) => ({
    name: `pods-${node}`,
    cidr,
    vxlanMode: VxlanMode.Never,
    nodeSelector: `kubernetes.io/hostname == '${node}'`,
  }));
}

/** The block of each node: its `podCidr`, or the network that belongs to its place in the list. */
function podBlocks(machines: AwsMachine[] = WALK_THROUGH_MACHINES, podSubnet = POD_NETWORK): PodBlock[] {
  return machines
    .filter(isNode)
    .map(({ name, podCidr }, index) => ({ node: name, cidr: podCidr ?? nth(podSubnet, index) }));
}

function isNode({ role }: Pick<AwsMachine, "role">): boolean {
  return role === MachineRole.ControlPlane || role === MachineRole.Worker;
}

/** AWS's check of source addresses is off where nodes send packets with other addresses than their own: direct replies, and pods without
 * a tunnel. */
export function requirePodTransport(place: InputPlace, args: AwsClusterArgs): PodTransport {
  const podBlocks = requirePodRouting(place, args);
  const routed = podBlocks.length > 0 ? { vxlanMode: VxlanMode.Never } : {};
  const wrapped = isAlwaysWrapped({ ...args, ...routed }, familiesOf(args).includes("IPv6"));
  const foreign = args.returnMode !== ReturnMode.Tunnel || !wrapped;
  return { podBlocks, ...routed, sourceDestCheck: args.sourceDestCheck ?? !foreign };
}

/** Refuses blocks that the VPC cannot route. @returns the nodes' blocks; empty without `CloudRoutes` */
export function requirePodRouting(place: InputPlace, args: AwsClusterArgs): PodBlock[] {
  const {
    podRouting,
    machines = [],
    podSubnet = POD_NETWORK,
    vxlanMode,
    ipipMode,
    sourceDestCheck,
    routeTableIds,
    vpcId,
  } = args;
  const field = (name: keyof AwsClusterArgs) => at(place, name);
  const machine = (index: number) => at(at(field("machines"), index), "podCidr");
  if (podRouting !== PodRouting.CloudRoutes) {
    const only = "absent, or given together with podRouting CloudRoutes";
    if (routeTableIds !== undefined) refuse(field("routeTableIds"), routeTableIds, only);
    machines.forEach(({ podCidr }, index) => {
      if (podCidr !== undefined) refuse(machine(index), podCidr, only);
    });
    return [];
  }
  if (familiesOf(args).includes("IPv6"))
    refuse(field("ipFamilies"), args.ipFamilies, "IPv4 alone: CloudRoutes routes no IPv6");
  if (vxlanMode !== undefined && vxlanMode !== VxlanMode.Never)
    refuse(
      field("vxlanMode"),
      vxlanMode,
      "Never, or absent: with CloudRoutes the VPC routes pods' packets as they are",
    );
  if (ipipMode !== undefined && ipipMode !== IpipMode.Never)
    refuse(field("ipipMode"), ipipMode, "Never, or absent: with CloudRoutes the VPC routes pods' packets as they are");
  if (sourceDestCheck)
    refuse(field("sourceDestCheck"), sourceDestCheck, "false, or absent: nodes send with pods' addresses");
  if (typeof podSubnet !== "string")
    return refuse(
      field("podSubnet"),
      "(known later)",
      "a network that is written here: the nodes' routes are parts of it",
    );
  if ((vpcId === undefined) !== (routeTableIds === undefined))
    refuse(
      field("routeTableIds"),
      routeTableIds,
      "the route tables of the subnets of vpcId, given together with it and only then",
    );
  if (routeTableIds?.length === 0) refuse(field("routeTableIds"), [], "at least one route table");
  machines.forEach(({ podCidr, role }, index) => {
    if (podCidr === undefined) return;
    if (!isNode({ role })) refuse(machine(index), podCidr, "absent: a client has no pods");
    const wrong = cidrRule(podCidr, SMALLEST);
    if (wrong) refuse(machine(index), podCidr, wrong);
    if (!isInside(podSubnet, podCidr)) refuse(machine(index), podCidr, `inside podSubnet ${podSubnet}`);
  });
  const blocks = podBlocks(args.machines, podSubnet);
  blocks.forEach(({ node, cidr }, index) => {
    if (!isInside(podSubnet, cidr))
      refuse(
        field("podSubnet"),
        podSubnet,
        `large enough for a /${USUAL} for each of ${blocks.length} nodes, or a podCidr of each machine`,
      );
    const other = blocks.slice(0, index).find((earlier) => networksOverlap(earlier.cidr, cidr));
    if (other)
      refuse(
        field("machines"),
        `${node} with ${cidr}`,
        `apart from ${other.node}, which has ${other.cidr}: give podCidr to both`,
      );
  });
  return blocks;
}

/** The network with this number among the networks of the usual size. */
function nth(network: string, index: number): string {
  return `${addressAt(parseCidr(network), BigInt(index) << BigInt(32 - USUAL))}/${USUAL}`;
}
