import type * as pulumi from "@pulumi/pulumi";
import type { Family } from "../../model/address/address.ts";
import { imageNameOf, requireImageName } from "../aws/image.ts";
import { requireInstance, type TypedMachine } from "../aws/inputs.ts";
import { requireIpv6Services } from "../aws/instance-type.ts";
import { Architecture, type AwsMachine } from "../aws/machine.ts";
import type { AwsSubnet } from "../aws/subnet.ts";
import { clusterNetworks } from "../documents/cluster-networks.ts";
import { requireOneMode } from "../ip-pool/inputs.ts";
import { requireMachines } from "../machine/inputs.ts";
import { type Machine, MachineRole, WALK_THROUGH_MACHINES } from "../machine/machine.ts";
import { at, checked, checkedBeside, checkedField, type InputPlace, refuse } from "../refusal/refusal.ts";
import { requireRelease } from "../release/inputs.ts";
import { DEFAULT_RELEASE } from "../release/kubernetes-release.ts";
import { isInside, networksOverlap, prefixLength } from "../rules/addresses.ts";
import { familiesOf, isIpv6Alone, networksFault } from "../rules/families.ts";
import {
  requireAnyCidr,
  requireCidr,
  requirePodNetwork,
  requirePodNetworkIpv6,
  requireServiceNetwork,
  requireServiceNetworkIpv6,
  requireSubnetNetworkIpv6,
  requireUnicastCidr,
} from "../values/addresses.ts";
import { requireWhole } from "../values/choices.ts";
import { requireLabel } from "../values/names.ts";
import type { AwsClusterArgs, SshAccess } from "./args.ts";
import { type PodTransport, requirePodTransport } from "./pod-routes.ts";

/** The network of a new VPC, as AWS gives a default one. */
const VPC_NETWORK = "172.31.0.0/16";

/** Arguments with their defaults. Values that are known only later check themselves. */
export interface CheckedAws extends Access, PodTransport {
  kubernetesVersion: string;
  /** Those of each family that the cluster has. */
  podSubnet?: pulumi.Input<string>;
  serviceSubnet?: pulumi.Input<string>;
  podSubnetIpv6?: pulumi.Input<string>;
  serviceSubnetIpv6?: pulumi.Input<string>;
  /** The first one first. */
  families: readonly Family[];
  hasIpv6: boolean;
  vpcCidr: pulumi.Input<string>;
  subnets: AwsSubnet[];
  /** The control plane first. */
  machines: TypedMachine[];
  controlPlane: TypedMachine;
  publicAddresses: boolean;
  diskSize: pulumi.Input<number>;
}

/** The networks outside the cluster that may connect. */
type Access = Pick<AwsClusterArgs, "adminCidrs" | "nodePortCidrs" | "ssh">;

/** Refuses arguments that AWS, kubeadm or the dataplane would refuse later, or that would not work. */
export function requireAws(place: InputPlace, args: AwsClusterArgs, region: string | undefined): CheckedAws {
  const { kubernetesVersion = DEFAULT_RELEASE, subnets = [{ cidr: "172.31.1.0/24" }], diskSize = 20 } = args;
  requireRelease(at(place, "kubernetesVersion"), kubernetesVersion);
  if (args.imageId === undefined) requireImageName(at(place, "imageName"), imageNameOf(args));
  const zoned = requireSubnets(place, args, subnets, region);
  const fault = networksFault({ ...args, ...clusterNetworks(args) });
  if (fault) refuse(at(place, String(fault.path[0])), args[fault.path[0] as keyof AwsClusterArgs], fault.allowed);
  const networks = requireNetworks(place, args, subnets);
  requireId(at(place, "vpcId"), args.vpcId, "vpc");
  requireId(at(place, "imageId"), args.imageId, "ami");
  for (const [index, id] of (args.routeTableIds ?? []).entries())
    requireId(at(at(place, "routeTableIds"), index), id, "rtb");
  requireOneMode(place, args);
  const machines = requireAwsMachines(at(place, "machines"), args, subnets);
  return {
    ...requireAccess(place, args),
    kubernetesVersion,
    ...networks,
    ...requireNetworksIpv6(place, args),
    families: familiesOf(args),
    hasIpv6: familiesOf(args).includes("IPv6"),
    subnets: zoned,
    machines,
    controlPlane: machines[0] as TypedMachine,
    ...requirePodTransport(place, args),
    publicAddresses: args.publicAddresses ?? true,
    diskSize: checked(diskSize, (size) => requireWhole(at(place, "diskSize"), size, 8, 16384)),
  };
}

/** Refuses networks that overlap, and subnets that are not inside the VPC's network. */
function requireNetworks(place: InputPlace, args: AwsClusterArgs, subnets: AwsSubnet[]) {
  const { podSubnet: pods, serviceSubnet: services } = clusterNetworks(args);
  const field = (name: string) => at(place, name);
  const own = pods === undefined || services === undefined ? undefined : requireOwnNetworks(place, { pods, services });
  const vpcCidr = checkedBeside(args.vpcCidr ?? VPC_NETWORK, Object.values(own ?? {}), (cidr, others) => {
    requireUnicastCidr(field("vpcCidr"), cidr, 28);
    if (prefixLength(cidr) < 16) refuse(field("vpcCidr"), cidr, "a network from /16 to /28");
    subnets.forEach((subnet, index) => {
      if (!isInside(cidr, subnet.cidr))
        refuse(at(at(field("subnets"), index), "cidr"), subnet.cidr, `inside vpcCidr ${cidr}`);
    });
    const [podSubnet = "", serviceSubnet = ""] = others;
    return own ? requireApart(field("vpcCidr"), cidr, { podSubnet, serviceSubnet }) : cidr;
  });
  return { ...own, vpcCidr };
}

/** The IPv4 networks for pods and Services; refuses networks that overlap. */
function requireOwnNetworks(
  place: InputPlace,
  { pods, services }: { pods: pulumi.Input<string>; services: pulumi.Input<string> },
) {
  const podSubnet = checked(pods, (cidr) => requirePodNetwork(at(place, "podSubnet"), cidr));
  const serviceSubnet = checkedBeside(services, [podSubnet], (cidr, [known = ""]) => {
    requireServiceNetwork(at(place, "serviceSubnet"), cidr);
    return requireApart(at(place, "serviceSubnet"), cidr, { podSubnet: known });
  });
  return { podSubnet, serviceSubnet };
}

/** The IPv6 networks for pods and Services; refuses networks that overlap. */
function requireNetworksIpv6(place: InputPlace, args: AwsClusterArgs) {
  const { podSubnetIpv6, serviceSubnetIpv6 } = clusterNetworks(args);
  if (podSubnetIpv6 === undefined || serviceSubnetIpv6 === undefined) return {};
  const services = checked(serviceSubnetIpv6, (cidr) =>
    requireServiceNetworkIpv6(at(place, "serviceSubnetIpv6"), cidr),
  );
  const pods = checkedBeside(podSubnetIpv6, [services], (cidr, [known = ""]) => {
    requirePodNetworkIpv6(at(place, "podSubnetIpv6"), cidr);
    return requireApart(at(place, "podSubnetIpv6"), cidr, { serviceSubnetIpv6: known });
  });
  return { podSubnetIpv6: pods, serviceSubnetIpv6: services };
}

function requireApart(place: InputPlace, cidr: string, others: Record<string, string>): string {
  const other = Object.entries(others).find(([, earlier]) => networksOverlap(earlier, cidr));
  return other ? refuse(place, cidr, `apart from ${other[0]} ${other[1]}`) : cidr;
}

function requireSubnets(
  place: InputPlace,
  args: AwsClusterArgs,
  subnets: AwsSubnet[],
  region: string | undefined,
): AwsSubnet[] {
  const list = at(place, "subnets");
  if (subnets.length === 0) refuse(list, subnets, "at least one subnet");
  return subnets.map((subnet, index) => {
    const { cidr, id } = subnet;
    const item = at(list, index);
    requireCidr(at(item, "cidr"), cidr, 28);
    const other = subnets.slice(0, index).findIndex((earlier) => networksOverlap(earlier.cidr, cidr));
    if (other >= 0) refuse(at(item, "cidr"), cidr, `apart from subnets[${other}].cidr ${subnets[other]?.cidr}`);
    requireId(at(item, "id"), id, "subnet");
    if (args.vpcId !== undefined && id === undefined) {
      refuse(at(item, "id"), id, "the id of a subnet of vpcId: subnets are only made in a VPC that is made too");
    }
    if (args.vpcId === undefined && id !== undefined)
      refuse(at(item, "id"), id, "absent, or given together with vpcId");
    requireSubnetIpv6(item, subnet, args);
    return { ...subnet, ...checkedField(item, "zone", subnet.zone, (field, zone) => requireZone(field, zone, region)) };
  });
}

/** AWS chooses the IPv6 network of a new subnet; the program gives the one of an existing subnet. */
function requireSubnetIpv6(item: InputPlace, { id, cidrIpv6 }: AwsSubnet, args: AwsClusterArgs): void {
  const field = at(item, "cidrIpv6");
  const hasIpv6 = familiesOf(args).includes("IPv6");
  if (cidrIpv6 === undefined) {
    if (id === undefined || !hasIpv6) return;
    refuse(field, cidrIpv6, "the /64 of the subnet: the cluster has IPv6 (ipFamilies, podSubnetIpv6)");
  }
  if (id === undefined || !hasIpv6)
    refuse(field, cidrIpv6, "absent, or given together with id in a cluster that has IPv6");
  if (typeof cidrIpv6 === "string") requireSubnetNetworkIpv6(field, cidrIpv6);
}

/** AWS checks the ids that come from other resources; only literal ids are checked here. */
function requireId(place: InputPlace, id: unknown, kind: string): void {
  if (typeof id === "string" && !id.startsWith(`${kind}-`)) refuse(place, id, `an id like "${kind}-0123456789abcdef0"`);
}

/** The name of a zone is the region's name and a letter; local zones have a place between them. */
function requireZone(place: InputPlace, zone: string, region: string | undefined): string {
  const example = `like "${region ?? "eu-central-1"}a"`;
  if (!/^[a-z]{2}(-[a-z]+)+-\d+([a-z]|-[a-z]+-\d+[a-z])$/.test(zone)) refuse(place, zone, `a zone ${example}`);
  if (region && !zone.startsWith(region)) refuse(place, zone, `a zone of the region ${region}, ${example}`);
  return zone;
}

function requireAccess(place: InputPlace, args: AwsClusterArgs): Access {
  const each =
    (require: (place: InputPlace, cidr: string) => string) => (field: InputPlace, cidrs: pulumi.Input<string>[]) =>
      cidrs.map((cidr, index) => checked(cidr, (known) => require(at(field, index), known)));
  const networks = each((field, cidr) => requireCidr(field, cidr));
  const ofClients = familiesOf(args).includes("IPv6") ? each(requireAnyCidr) : networks;
  if (args.adminCidrs.length === 0) {
    refuse(at(place, "adminCidrs"), [], "at least one network: this computer must reach the API server");
  }
  return {
    adminCidrs: networks(at(place, "adminCidrs"), args.adminCidrs),
    nodePortCidrs: ofClients(at(place, "nodePortCidrs"), args.nodePortCidrs ?? []),
    ...(args.ssh && { ssh: requireSshAccess(at(place, "ssh"), args.ssh, networks) }),
  };
}

function requireSshAccess(
  place: InputPlace,
  { publicKey, cidrs }: SshAccess,
  networks: (field: InputPlace, cidrs: pulumi.Input<string>[]) => pulumi.Input<string>[],
): SshAccess {
  const sources = at(place, "cidrs");
  const from = networks(sources, cidrs);
  if (typeof publicKey === "string" && !/^(ssh-ed25519|ssh-rsa) \S+/.test(publicKey)) {
    // The message does not repeat the key: it may be the private one.
    refuse(at(place, "publicKey"), "…", 'an OpenSSH public key of the kind EC2 takes: "ssh-ed25519 …" or "ssh-rsa …"');
  }
  if (cidrs.length === 0) refuse(sources, [], "at least one network from which port 22 is reached");
  return { publicKey, cidrs: from };
}

/** Machines with their types, the control plane first. */
function requireAwsMachines(place: InputPlace, args: AwsClusterArgs, subnets: AwsSubnet[]): TypedMachine[] {
  const machines: AwsMachine[] = args.machines ?? WALK_THROUGH_MACHINES;
  const architecture = args.architecture ?? Architecture.Amd64;
  requireMachines(place, machines);
  const typed = machines.map((machine, index) => requireInstance(at(place, index), machine, { architecture, subnets }));
  typed.forEach(({ role, instanceType }, index) => {
    if (isIpv6Alone(args) && role !== MachineRole.Client)
      requireIpv6Services(at(at(place, index), "instanceType"), instanceType);
  });
  return [...typed].sort((one, other) => rank(one) - rank(other));
}

function rank({ role }: Machine): number {
  return role === MachineRole.ControlPlane ? 0 : 1;
}

/** The cluster's own name, which is a part of the parameters' paths. */
export function requireClusterName(place: InputPlace, name: string): string {
  return requireLabel(at(place, "clusterName"), name, 32);
}
