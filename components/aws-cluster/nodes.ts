import * as pulumi from "@pulumi/pulumi";
import type { Family } from "../../model/address/address.ts";
import type { TypedMachine } from "../aws/inputs.ts";
import { instance } from "../aws/instance.ts";
import type { AwsSdk } from "../aws/sdk-types.ts";
import { placeIn } from "../aws/subnet.ts";
import { API_SERVER_PORT } from "../documents/defaults.ts";
import { MachineRole } from "../machine/machine.ts";
import { at, type InputPlace } from "../refusal/refusal.ts";
import type { AwsClusterArgs } from "./args.ts";
import type { Exchange } from "./exchange.ts";
import { Group } from "./firewall.ts";
import { identity } from "./identity.ts";
import type { CheckedAws } from "./inputs.ts";
import type { Network } from "./network.ts";
import { type NodeSettings, requireSize, userData } from "./user-data.ts";

/** What a node is created from. */
export interface NodesPlan {
  checked: CheckedAws;
  network: Network;
  groups: Record<Group, pulumi.Output<string>>;
  exchange: Exchange;
  imageId: pulumi.Output<string>;
  tags: Record<string, pulumi.Input<string>>;
  keyName: pulumi.Output<string> | undefined;
}

/** The parts of a node's user data that may be known only later. Each is one network per address family, the cluster's first family
 * first, separated by commas. */
interface Later {
  podSubnet: string;
  serviceSubnet: string;
  /** Public address; "" where there is none. */
  address: string;
}

const LONGEST_IPV6 = "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff/128";

/** The longest possible values, so that the size can be checked before they are known. */
const LONGEST: Later = {
  podSubnet: `255.255.255.255/32,${LONGEST_IPV6}`,
  serviceSubnet: `255.255.255.255/32,${LONGEST_IPV6}`,
  address: "255.255.255.255",
};

/** Creates the instances of nodes, each with the fewest permissions that its role needs. @returns the control plane's public address, if
 * it has one */
export function nodes(
  sdk: AwsSdk,
  name: string,
  place: InputPlace,
  args: AwsClusterArgs,
  plan: NodesPlan,
  opts: pulumi.CustomResourceOptions,
) {
  const { checked, exchange, tags } = plan;
  const access = { sessionManager: args.sessionManager ?? false, tags };
  const writes = { action: "ssm:PutParameter", parameters: [exchange.join.arn, exchange.kubeconfig.arn] };
  const reads = { action: "ssm:GetParameter", parameters: [exchange.join.arn] };
  const identities = {
    [MachineRole.ControlPlane]: identity(sdk, `${name}-control-plane`, writes, access, opts),
    [MachineRole.Worker]: identity(sdk, `${name}-worker`, reads, access, opts),
  };
  const publicAddress = checked.publicAddresses
    ? new sdk.ec2.Eip(`${name}-address`, { domain: "vpc", tags }, { ...opts, dependsOn: plan.network.wayOut })
    : undefined;
  const networks = pulumi.output({
    podSubnet: ofEach(checked, { IPv4: checked.podSubnet, IPv6: checked.podSubnetIpv6 }),
    serviceSubnet: ofEach(checked, { IPv4: checked.serviceSubnet, IPv6: checked.serviceSubnetIpv6 }),
  });
  const made = checked.machines.flatMap((machine) => {
    const { role } = machine;
    if (role === MachineRole.Client || role === MachineRole.Router) return [];
    const text = (later: Later) => userData(settingsOf(args, checked, machine, exchange, later));
    requireSize(at(place, "machines"), machine, text(LONGEST));
    const placed = placeIn(plan.network.subnets, machine.address);
    const isControlPlane = role === MachineRole.ControlPlane;
    const resource = instance(
      sdk,
      `${name}-${machine.name}`,
      {
        machine,
        instanceType: machine.instanceType,
        imageId: plan.imageId,
        ...placed,
        securityGroupIds: [...(isControlPlane ? [plan.groups[Group.ControlPlane]] : []), plan.groups[Group.Nodes]],
        sourceDestCheck: checked.sourceDestCheck,
        publicAddress: checked.publicAddresses,
        diskSize: checked.diskSize,
        tags,
        keyName: plan.keyName,
        instanceProfile: identities[role].profile,
        userData: pulumi
          .all([networks, (isControlPlane && publicAddress?.publicIp) || ""])
          .apply(([known, address]) => text({ ...known, address })),
      },
      {
        ...opts,
        dependsOn: [...plan.network.wayOut, ...identities[role].grants],
        protect: isControlPlane ? (args.protectControlPlane ?? true) : undefined,
      },
    );
    return [{ machine, instance: resource, addressIpv6: placed.addressIpv6 }];
  });
  const controlPlane = made[0] as (typeof made)[number];
  const association =
    publicAddress &&
    new sdk.ec2.EipAssociation(
      `${name}-address-association`,
      { allocationId: publicAddress.id, instanceId: controlPlane.instance.id },
      opts,
    );
  return { made, controlPlane, publicAddress, association };
}

/** Networks in the form that kubeadm reads: one per address family. */
function ofEach({ families }: CheckedAws, networks: Record<Family, pulumi.Input<string> | undefined>) {
  return pulumi.all(families.map((family) => networks[family] ?? "")).apply((known) => known.join(","));
}

/** Settings of a node. A worker gets the release from the control plane, so an upgrade does not change its user data. */
function settingsOf(
  args: AwsClusterArgs,
  checked: CheckedAws,
  { name, role, address }: TypedMachine,
  { path }: Exchange,
  { podSubnet, serviceSubnet, address: publicAddress }: Later,
): NodeSettings {
  const { families } = checked;
  const all: NodeSettings = {
    ROLE: role,
    NODE_NAME: name,
    ...(families.includes("IPv4") && { NODE_ADDRESS: address }),
    ...(checked.hasIpv6 && { NODE_ADDRESS_IPV6: "metadata" }),
    ...(families[0] === "IPv6" && { FIRST_FAMILY: "IPv6" }),
    // The address of the VPC's resolver that pods without IPv4 can reach; only instances of the Nitro system have it.
    ...(!families.includes("IPv4") && { POD_NAMESERVER: "fd00:ec2::253" }),
    API_SERVER: `${checked.controlPlane.address}:${API_SERVER_PORT}`,
    PARAMETERS: path,
    ...(args.sessionManager && { SESSION_MANAGER: "true" }),
  };
  if (role === MachineRole.Worker) return all;
  // Workers join at the IPv4 address, which is known before the instance exists; kubeadm's own name is the first family's.
  const joinedAt = families[0] === "IPv6" ? address : "";
  return {
    ...all,
    KUBERNETES_VERSION: checked.kubernetesVersion,
    POD_SUBNET: podSubnet,
    SERVICE_SUBNET: serviceSubnet,
    CERTIFICATE_NAMES: [publicAddress, joinedAt, "127.0.0.1"].filter(Boolean).join(" "),
  };
}
