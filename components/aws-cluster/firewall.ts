import type * as pulumi from "@pulumi/pulumi";
import { type IngressRule, isWorld, nodePortsNotOpenToWorld, sshNotOpenToWorld } from "../aws/guardrails.ts";
import { API_SERVER_PORT } from "../documents/defaults.ts";
import { IpipMode, VxlanMode } from "../ip-pool/args.ts";
import { modesOf } from "../ip-pool/inputs.ts";
import { checked, type InputPlace, refuseBecause } from "../refusal/refusal.ts";
import { isIpv6 } from "../rules/addresses.ts";
import { type AwsClusterArgs, WorldAccess } from "./args.ts";

/** The security groups: the control plane is in the first two, workers in the second, clients in the third. */
export enum Group {
  ControlPlane = "control-plane",
  Nodes = "nodes",
  Clients = "clients",
}

/** Port of WireGuard (agent/encryption). */
const WIREGUARD = 51_820;

/** IP protocol 4, as EC2 names protocols without a name. */
const IPIP = "4";

/** One kind of traffic that a security group admits. */
export interface Opening {
  group: Group;
  /** Last part of the resource's name. */
  name: string;
  /** Why it is open. */
  description: string;
  ipProtocol: string;
  fromPort?: number;
  toPort?: number;
  /** The peers: the members of a group, by the address of their interface … */
  peers?: Group;
  /** … or a network, of one family. */
  cidrIpv4?: pulumi.Input<string>;
  cidrIpv6?: pulumi.Input<string>;
  /** The argument that the user must set before this may be open to everybody. */
  world?: WorldAccess;
}

/** Networks whose traffic among themselves is admitted. */
interface Networks {
  /** Networks of the pods, for each address family that the cluster has. */
  podSubnet?: pulumi.Input<string>;
  podSubnetIpv6?: pulumi.Input<string>;
  vpcCidr: pulumi.Input<string>;
}

/** Everything that the groups admit, and nothing more. The function is pure, so that its test reads like the list. */
export function openings(args: AwsClusterArgs & Networks): Opening[] {
  return [...controlPlane(args), ...betweenNodes(args), ...nodePorts(args), ...pathMtu(args), ...ssh(args)];
}

/** Refuses rules that would be open to everybody although the user did not ask for it. */
export function requireNotOpenToWorld(place: InputPlace, rules: Opening[], said: WorldAccess[] = []): Opening[] {
  return rules.map((rule) => {
    const { world, cidrIpv4, cidrIpv6 } = rule;
    const field = cidrIpv4 === undefined ? "cidrIpv6" : "cidrIpv4";
    const cidr = cidrIpv4 ?? cidrIpv6;
    if (world === undefined || cidr === undefined || said.includes(world)) return rule;
    // A network that is known only later is checked before the rule is created.
    const guarded = checked(cidr, (known) => {
      const { cidrIpv4: _4, cidrIpv6: _6, ...plain } = rule;
      const open: IngressRule = { ...plain, [field]: known };
      const wrong = sshNotOpenToWorld(open) ?? nodePortsNotOpenToWorld(open) ?? apiServerOpenToWorld(open);
      return wrong ? refuseBecause(place, `${wrong}, or say openToWorld: ["${world}"]`) : known;
    });
    return { ...rule, [field]: guarded };
  });
}

function apiServerOpenToWorld({ cidrIpv4 }: Pick<IngressRule, "cidrIpv4">): string | undefined {
  return cidrIpv4 !== undefined && isWorld(cidrIpv4)
    ? `the API server is open to ${cidrIpv4}: name the networks that need it`
    : undefined;
}

function controlPlane({ adminCidrs }: AwsClusterArgs): Opening[] {
  const api = { group: Group.ControlPlane, ...port("tcp", API_SERVER_PORT) };
  return [
    { ...api, name: "api-nodes", description: "nodes and pods reach the API server", peers: Group.Nodes },
    ...adminCidrs.map((cidrIpv4, index) => ({
      ...api,
      name: `api-admin-${index}`,
      description: "administrators reach the API server",
      cidrIpv4,
      world: WorldAccess.ApiServer,
    })),
  ];
}

/** Whether packets of pods never leave a node with the pod's address. IPv6 packets are never sent through IPIP. */
export function isAlwaysWrapped(args: Pick<AwsClusterArgs, "vxlanMode" | "ipipMode">, hasIpv6: boolean): boolean {
  const { vxlanMode, ipipMode } = modesOf(args);
  return vxlanMode === VxlanMode.Always || (ipipMode === IpipMode.Always && !hasIpv6);
}

function betweenNodes({ podSubnet, podSubnetIpv6, ...args }: AwsClusterArgs & Networks): Opening[] {
  const fromNodes = { group: Group.Nodes, peers: Group.Nodes };
  const tunnel = { ...fromNodes, name: "vxlan", description: "VXLAN between nodes", ...port("udp", 4789) };
  const kubelet = {
    ...fromNodes,
    name: "kubelet",
    description: "the API server and metrics reach kubelets",
    ...port("tcp", 10250),
  };
  const ipip = { ...fromNodes, name: "ipip", description: "IPIP between nodes", ipProtocol: IPIP };
  const tunnels = modesOf(args).ipipMode ? [tunnel, ipip] : [tunnel];
  // `Dataplane.encryption` may be enabled at any time; WireGuard's packets are authenticated. The rules below admit traffic between nodes
  // anyway.
  const encrypted = {
    ...fromNodes,
    name: "wireguard",
    description: "encrypted packets between nodes",
    ...port("udp", WIREGUARD),
  };
  if (isAlwaysWrapped(args, podSubnetIpv6 !== undefined)) return [...tunnels, encrypted, kubelet];
  // A group as the peer covers only the addresses of its members' interfaces.
  const description = "pods reach pods of other nodes without a tunnel";
  const pods = { group: Group.Nodes, description, ipProtocol: "-1" };
  return [
    ...tunnels,
    kubelet,
    {
      ...fromNodes,
      name: "node-pods",
      description: "nodes reach pods of other nodes without a tunnel",
      ipProtocol: "-1",
    },
    ...(podSubnet === undefined ? [] : [{ ...pods, name: "pods", cidrIpv4: podSubnet }]),
    ...(podSubnetIpv6 === undefined ? [] : [{ ...pods, name: "pods-ipv6", cidrIpv6: podSubnetIpv6 }]),
  ];
}

function nodePorts({ nodePortCidrs = [] }: AwsClusterArgs): Opening[] {
  return ["tcp", "udp"].flatMap((ipProtocol) => {
    const range = { group: Group.Nodes, ipProtocol, fromPort: 30000, toPort: 32767 };
    const name = `node-ports-${ipProtocol}`;
    return [
      { ...range, name, description: "clients reach node ports", peers: Group.Clients },
      ...nodePortCidrs.map((cidr, index) => ({
        ...range,
        name: `${name}-${index}`,
        description: "others reach node ports",
        ...(typeof cidr === "string" && isIpv6(cidr) ? { cidrIpv6: cidr } : { cidrIpv4: cidr }),
        world: WorldAccess.NodePorts,
      })),
    ];
  });
}

/**
 * ICMP "fragmentation needed" (type 3, code 4) and ICMPv6 "packet too big" (type 2, code 0), without which connections with large packets
 * hang. The latter comes from any router on the way and must not be dropped (RFC 4890, section 4.3.1).
 */
function pathMtu({ vpcCidr, podSubnetIpv6 }: Networks): Opening[] {
  const description = "path MTU discovery";
  const icmp = { name: "path-mtu", description, ipProtocol: "icmp", fromPort: 3, toPort: 4, cidrIpv4: vpcCidr };
  const icmpv6 = { name: "path-mtu-ipv6", description, ipProtocol: "icmpv6", fromPort: 2, toPort: 0, cidrIpv6: "::/0" };
  const both = podSubnetIpv6 === undefined ? [icmp] : [icmp, icmpv6];
  return [Group.Nodes, Group.Clients].flatMap((group) => both.map((one) => ({ ...one, group })));
}

function ssh(args: AwsClusterArgs): Opening[] {
  return [Group.Nodes, Group.Clients].flatMap((group) =>
    (args.ssh?.cidrs ?? []).map((cidrIpv4, index) => ({
      group,
      name: `ssh-${index}`,
      description: "SSH",
      ...port("tcp", 22),
      cidrIpv4,
      world: WorldAccess.Ssh,
    })),
  );
}

function port(ipProtocol: string, number: number) {
  return { ipProtocol, fromPort: number, toPort: number };
}
