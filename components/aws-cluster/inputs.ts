import { imageNameOf, requireImageName } from "../aws/image.ts";
import { requireInstance, type TypedMachine } from "../aws/inputs.ts";
import { Architecture, type AwsMachine } from "../aws/machine.ts";
import type { AwsSubnet } from "../aws/subnet.ts";
import { ReturnMode } from "../dataplane/args.ts";
import { POD_NETWORK, SERVICE_NETWORK } from "../documents/defaults.ts";
import { VxlanMode } from "../ip-pool/args.ts";
import { requireMachines } from "../machine/inputs.ts";
import { type Machine, MachineRole, WALK_THROUGH_MACHINES } from "../machine/machine.ts";
import { at, type InputPlace, refuse } from "../refusal/refusal.ts";
import { requireRelease } from "../release/inputs.ts";
import { DEFAULT_RELEASE } from "../release/kubernetes-release.ts";
import { contains, firstAndLast, networksOverlap, prefixLength } from "../rules/addresses.ts";
import { requireCidr, requirePodNetwork, requireServiceNetwork, requireUnicastCidr } from "../values/addresses.ts";
import { requireWhole } from "../values/choices.ts";
import { requireLabel } from "../values/names.ts";
import type { AwsClusterArgs } from "./args.ts";

/** Arguments with their defaults. */
export interface CheckedAws {
  kubernetesVersion: string;
  podSubnet: string;
  serviceSubnet: string;
  vpcCidr: string;
  subnets: AwsSubnet[];
  /** The control plane first. */
  machines: TypedMachine[];
  controlPlane: TypedMachine;
  sourceDestCheck: boolean;
  publicAddresses: boolean;
  diskSize: number;
}

/** Refuses arguments that AWS, kubeadm or the dataplane would refuse later, or that would not work. */
export function requireAws(place: InputPlace, args: AwsClusterArgs, region: string | undefined): CheckedAws {
  const { kubernetesVersion = DEFAULT_RELEASE, podSubnet = POD_NETWORK, serviceSubnet = SERVICE_NETWORK } = args;
  const { vpcCidr = "172.31.0.0/16", subnets = [{ cidr: "172.31.1.0/24" }], diskSize = 20 } = args;
  requireRelease(at(place, "kubernetesVersion"), kubernetesVersion);
  requireWhole(at(place, "diskSize"), diskSize, 8, 16384);
  if (args.imageId === undefined) requireImageName(at(place, "imageName"), imageNameOf(args));
  requireNetworks(place, { podSubnet, serviceSubnet, vpcCidr });
  requireSubnets(place, args, { vpcCidr, subnets }, region);
  requireAccess(place, args);
  requireId(at(place, "vpcId"), args.vpcId, "vpc");
  requireId(at(place, "imageId"), args.imageId, "ami");
  const machines = requireAwsMachines(at(place, "machines"), args, subnets);
  return {
    kubernetesVersion,
    podSubnet,
    serviceSubnet,
    vpcCidr,
    subnets,
    machines,
    controlPlane: machines[0] as TypedMachine,
    sourceDestCheck: requireSourceDestCheck(args),
    publicAddresses: args.publicAddresses ?? true,
    diskSize,
  };
}

/** Nodes send with other addresses than their own for direct returns, and for pods without a tunnel. */
function requireSourceDestCheck({ returnMode, vxlanMode, sourceDestCheck }: AwsClusterArgs): boolean {
  const foreign = returnMode !== ReturnMode.Tunnel || vxlanMode !== VxlanMode.Always;
  return sourceDestCheck ?? !foreign;
}

function requireNetworks(place: InputPlace, networks: Record<"podSubnet" | "serviceSubnet" | "vpcCidr", string>): void {
  requirePodNetwork(at(place, "podSubnet"), networks.podSubnet);
  requireServiceNetwork(at(place, "serviceSubnet"), networks.serviceSubnet);
  requireUnicastCidr(at(place, "vpcCidr"), networks.vpcCidr, 28);
  if (prefixLength(networks.vpcCidr) < 16) refuse(at(place, "vpcCidr"), networks.vpcCidr, "a network from /16 to /28");
  const entries = Object.entries(networks);
  entries.forEach(([field, cidr], index) => {
    const other = entries.slice(0, index).find(([, earlier]) => networksOverlap(earlier, cidr));
    if (other) refuse(at(place, field), cidr, `apart from ${other[0]} ${other[1]}`);
  });
}

function requireSubnets(
  place: InputPlace,
  args: AwsClusterArgs,
  { vpcCidr, subnets }: { vpcCidr: string; subnets: AwsSubnet[] },
  region: string | undefined,
): void {
  const list = at(place, "subnets");
  if (subnets.length === 0) refuse(list, subnets, "at least one subnet");
  subnets.forEach(({ cidr, zone, id }, index) => {
    const item = at(list, index);
    requireCidr(at(item, "cidr"), cidr, 28);
    const inside = contains(vpcCidr, firstAndLast(cidr)[0]) && prefixLength(cidr) >= prefixLength(vpcCidr);
    if (!inside) refuse(at(item, "cidr"), cidr, `inside vpcCidr ${vpcCidr}`);
    const other = subnets.slice(0, index).findIndex((earlier) => networksOverlap(earlier.cidr, cidr));
    if (other >= 0) refuse(at(item, "cidr"), cidr, `apart from subnets[${other}].cidr ${subnets[other]?.cidr}`);
    if (zone !== undefined) requireZone(at(item, "zone"), zone, region);
    requireId(at(item, "id"), id, "subnet");
    if (args.vpcId !== undefined && id === undefined) {
      refuse(at(item, "id"), id, "the id of a subnet of vpcId: subnets are only made in a VPC that is made too");
    }
    if (args.vpcId === undefined && id !== undefined)
      refuse(at(item, "id"), id, "absent, or given together with vpcId");
  });
}

/** Ids of other resources are AWS's to know, unless they are written here. */
function requireId(place: InputPlace, id: unknown, kind: string): void {
  if (typeof id === "string" && !id.startsWith(`${kind}-`)) refuse(place, id, `an id like "${kind}-0123456789abcdef0"`);
}

/** A zone is a region's name and a letter; local zones have a place between. */
function requireZone(place: InputPlace, zone: string, region: string | undefined): void {
  const example = `like "${region ?? "eu-central-1"}a"`;
  if (!/^[a-z]{2}(-[a-z]+)+-\d+([a-z]|-[a-z]+-\d+[a-z])$/.test(zone)) refuse(place, zone, `a zone ${example}`);
  if (region && !zone.startsWith(region)) refuse(place, zone, `a zone of the region ${region}, ${example}`);
}

function requireAccess(place: InputPlace, args: AwsClusterArgs): void {
  const networks = (field: InputPlace, cidrs: string[]) => {
    cidrs.forEach((cidr, index) => {
      requireCidr(at(field, index), cidr);
    });
  };
  if (args.adminCidrs.length === 0) {
    refuse(at(place, "adminCidrs"), [], "at least one network: this computer must reach the API server");
  }
  networks(at(place, "adminCidrs"), args.adminCidrs);
  networks(at(place, "nodePortCidrs"), args.nodePortCidrs ?? []);
  if (!args.ssh) return;
  const sources = at(at(place, "ssh"), "cidrs");
  networks(sources, args.ssh.cidrs);
  const { publicKey } = args.ssh;
  if (typeof publicKey === "string" && !/^(ssh-ed25519|ssh-rsa) \S+/.test(publicKey)) {
    // Not repeated in the message: it may be the private one.
    refuse(
      at(at(place, "ssh"), "publicKey"),
      "…",
      'an OpenSSH public key of the kind EC2 takes: "ssh-ed25519 …" or "ssh-rsa …"',
    );
  }
  if (args.ssh.cidrs.length === 0) refuse(sources, [], "at least one network from which port 22 is reached");
}

/** Machines with their types, the control plane first. */
function requireAwsMachines(place: InputPlace, args: AwsClusterArgs, subnets: AwsSubnet[]): TypedMachine[] {
  const machines: AwsMachine[] = args.machines ?? WALK_THROUGH_MACHINES;
  const architecture = args.architecture ?? Architecture.Amd64;
  requireMachines(place, machines);
  const typed = machines.map((machine, index) => requireInstance(at(place, index), machine, { architecture, subnets }));
  return [...typed].sort((one, other) => rank(one) - rank(other));
}

function rank({ role }: Machine): number {
  return role === MachineRole.ControlPlane ? 0 : 1;
}

/** The cluster's own name, which is a part of the parameters' paths. */
export function requireClusterName(place: InputPlace, name: string): string {
  return requireLabel(at(place, "clusterName"), name, 32);
}
