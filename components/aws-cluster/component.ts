import * as pulumi from "@pulumi/pulumi";
import { requireArguments } from "../arguments/arguments.ts";
import { imageId } from "../aws/image.ts";
import { addressesOf } from "../aws/instance.ts";
import { offered } from "../aws/offerings.ts";
import { requireRegion } from "../aws/region.ts";
import { awsSdk } from "../aws/sdk.ts";
import { ClientMachines } from "../client-machines/component.ts";
import { API_SERVER_PORT } from "../documents/defaults.ts";
import { type ApiServerAddress, type MachineAddress, MachineRole } from "../machine/machine.ts";
import { componentType } from "../program/package-name.ts";
import { argumentsOf } from "../refusal/refusal.ts";
import type { AwsClusterArgs } from "./args.ts";
import { awaitCluster } from "./await-cluster.ts";
import { exchange } from "./exchange.ts";
import { Group, openings, requireNotOpenToWorld } from "./firewall.ts";
import { requireAws, requireClusterName } from "./inputs.ts";
import { network, podRoutes } from "./network.ts";
import { nodes } from "./nodes.ts";
import { securityGroups } from "./security-groups.ts";

/**
 * A Kubernetes cluster made by kubeadm on EC2 instances, without kube-proxy and without a network plugin, and clients outside it.
 * Goes to the AWS provider in the component's options. Give it its network with `Dataplane`.
 */
export class AwsCluster extends pulumi.ComponentResource {
  /** Administrator's kubeconfig (YAML), for use on this computer. */
  readonly kubeconfig: pulumi.Output<string>;
  /** Where the nodes reach the API server. */
  readonly apiServer: pulumi.Output<ApiServerAddress>;
  /** Nodes of the cluster by their private addresses, the control plane first. */
  readonly nodes: pulumi.Output<MachineAddress[]>;
  /** Machines outside the cluster by their private addresses. */
  readonly clients: pulumi.Output<MachineAddress[]>;
  /** Machines outside the cluster by the addresses that are reached from outside; empty ones where they have none. */
  readonly publicClients: pulumi.Output<MachineAddress[]>;
  /** Name of the cluster. */
  readonly name: pulumi.Output<string>;
  /** Id of the VPC. */
  readonly vpcId: pulumi.Output<string>;
  /** Ids of the subnets, in the order of the argument `subnets`. */
  readonly subnetIds: pulumi.Output<string[]>;
  /** Id of the security group whose members reach node ports. */
  readonly clientSecurityGroupId: pulumi.Output<string>;

  constructor(name: string, args: AwsClusterArgs, opts?: pulumi.ComponentResourceOptions) {
    const place = argumentsOf("AwsCluster", name);
    args = requireArguments(place, "AwsCluster", args);
    const checked = requireAws(place, args, requireRegion(place.component, opts));
    const clusterName = requireClusterName(place, args.clusterName ?? `${name}-${pulumi.getStack()}`);
    const rules = requireNotOpenToWorld(place, openings({ ...args, ...checked }), args.openToWorld);
    super(componentType("AwsCluster"), name, args, opts);
    const sdk = awsSdk();
    // Create nothing before AWS has answered.
    const answers = offered(sdk, place, checked, { parent: this });
    const child = { parent: this, dependsOn: answers };
    const tags = { ...args.tags, "ebpf-dataplane/cluster": clusterName };

    const vpc = network(sdk, name, { ...args, tags }, checked, child);
    const groups = securityGroups(sdk, name, { vpcId: vpc.vpcId, hasIpv6: checked.hasIpv6 }, rules, tags, child);
    const image = imageId(sdk, place, args, answers, { parent: this });
    const keyName =
      args.ssh && new sdk.ec2.KeyPair(`${name}-key`, { publicKey: args.ssh.publicKey, tags }, child).keyName;
    const parameters = exchange(sdk, name, clusterName, tags, child);
    const plan = { checked, network: vpc, groups, exchange: parameters, imageId: image, tags, keyName };
    const made = nodes(sdk, name, place, args, plan, child);
    const interfaces = new Map(
      made.made.map(({ machine, instance }) => [machine.name, instance.primaryNetworkInterfaceId]),
    );
    podRoutes(sdk, name, vpc, checked, (node) => interfaces.get(node) as pulumi.Output<string>, child);
    const clients = new ClientMachines(
      `${name}-clients`,
      {
        machines: checked.machines.filter(({ role }) => role === MachineRole.Client),
        subnets: vpc.subnets,
        securityGroupIds: [groups[Group.Clients]],
        architecture: args.architecture,
        imageId: image,
        keyName,
        publicAddresses: checked.publicAddresses,
        tags,
      },
      { parent: this },
    );

    const apiServer = { host: checked.controlPlane.address, port: API_SERVER_PORT };
    const release = checked.kubernetesVersion;
    this.kubeconfig = awaitCluster(
      sdk,
      name,
      place,
      { adminCidrs: checked.adminCidrs, made, apiServer, exchange: parameters, release },
      { parent: this },
    );
    this.apiServer = pulumi.output(apiServer);
    this.nodes = pulumi.all(
      made.made.map(({ machine, instance, addressIpv6 }) => addressesOf(machine.name, instance, addressIpv6)),
    );
    this.clients = clients.clients;
    this.publicClients = clients.publicClients;
    this.name = pulumi.output(clusterName);
    this.vpcId = pulumi.output(vpc.vpcId);
    this.subnetIds = pulumi.all(vpc.subnets.map(({ id }) => id));
    this.clientSecurityGroupId = groups[Group.Clients];
    this.registerOutputs({
      kubeconfig: this.kubeconfig,
      apiServer: this.apiServer,
      nodes: this.nodes,
      clients: this.clients,
      publicClients: this.publicClients,
      name: this.name,
      vpcId: this.vpcId,
      subnetIds: this.subnetIds,
      clientSecurityGroupId: this.clientSecurityGroupId,
    });
  }
}
