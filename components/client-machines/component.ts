import * as pulumi from "@pulumi/pulumi";
import { requireArguments } from "../arguments/arguments";
import { imageId, imageNameOf, requireImageName } from "../aws/image";
import { instance } from "../aws/instance";
import { offered } from "../aws/offerings";
import { awsSdk } from "../aws/sdk";
import { Architecture, type AwsMachine, type AwsSubnet } from "../aws-cluster/args";
import { requireInstance } from "../aws-cluster/inputs";
import { subnetOf } from "../aws-cluster/network";
import { type MachineAddress, MachineRole } from "../machine/machine";
import { componentType } from "../program/package-name";
import { argumentsOf, at, type InputPlace, refuse } from "../refusal/refusal";
import { requireUnique, requireWhole } from "../values/choices";
import { requireLabel } from "../values/names";

/** Arguments of `ClientMachines`. */
export interface ClientMachinesArgs {
  /** The machines, all with the role `Client`. */
  machines: AwsMachine[];
  /** Subnets that exist, with their ids: those of an `AwsCluster` are its output `subnetIds`. */
  subnets: AwsSubnet[];
  /** Ids of the security groups; a cluster lets the members of its own one for clients reach node ports. */
  securityGroupIds: pulumi.Input<string>[];
  /** Processor of the instances. Defaults to `Amd64`. */
  architecture?: Architecture;
  /** Name pattern of the machine image; the newest that matches. Defaults to "debian-13-ARCHITECTURE-*". */
  imageName?: string;
  /** Account that owns the image. Defaults to Debian's, "136693071363". */
  imageOwner?: string;
  /** Id of the machine image, in place of a search by name. */
  imageId?: pulumi.Input<string>;
  /** Name of an EC2 key pair that logs in. Defaults to none. */
  keyName?: pulumi.Input<string>;
  /** Name of an IAM instance profile. Defaults to none: a client has nothing to ask of AWS. */
  instanceProfile?: pulumi.Input<string>;
  /** Whether instances get public addresses. Defaults to true. */
  publicAddresses?: boolean;
  /** Size of the encrypted disks in GiB, at least 8. Defaults to 8. */
  diskSize?: number;
  /** Tags of the instances and their disks. */
  tags?: Record<string, string>;
}

/** EC2 instances outside the cluster that use its services. */
export class ClientMachines extends pulumi.ComponentResource {
  /** The machines by their private addresses, which services see. */
  readonly clients: pulumi.Output<MachineAddress[]>;
  /** The same by the addresses that are reached from outside; empty ones where they have none. */
  readonly publicClients: pulumi.Output<MachineAddress[]>;

  constructor(name: string, args: ClientMachinesArgs, opts?: pulumi.ComponentResourceOptions) {
    const place = argumentsOf("ClientMachines", name);
    args = requireArguments(place, "ClientMachines", args);
    const machines = requireClients(place, args);
    super(componentType("ClientMachines"), name, args, opts);
    const sdk = awsSdk();
    const answers = offered(sdk, place, { machines, subnets: args.subnets }, { parent: this });
    const image = imageId(sdk, place, args, answers, { parent: this });
    const made = machines.map((machine) => ({
      machine,
      instance: instance(
        sdk,
        `${name}-${machine.name}`,
        {
          machine,
          instanceType: machine.instanceType,
          imageId: image,
          subnetId: subnetOf(args.subnets, machine.address),
          securityGroupIds: args.securityGroupIds,
          sourceDestCheck: true,
          publicAddress: args.publicAddresses ?? true,
          diskSize: args.diskSize ?? 8,
          tags: args.tags ?? {},
          keyName: args.keyName,
          instanceProfile: args.instanceProfile,
        },
        { parent: this },
      ),
    }));
    this.clients = pulumi.all(
      made.map(({ machine, instance }) => ({ name: machine.name, address: instance.privateIp })),
    );
    this.publicClients = pulumi.all(
      made.map(({ machine, instance }) => ({ name: machine.name, address: instance.publicIp })),
    );
    this.registerOutputs({ clients: this.clients, publicClients: this.publicClients });
  }
}

function requireClients(place: InputPlace, args: ClientMachinesArgs) {
  const { machines, subnets, architecture = Architecture.Amd64, diskSize = 8 } = args;
  requireWhole(at(place, "diskSize"), diskSize, 8, 16384);
  if (args.imageId === undefined) requireImageName(at(place, "imageName"), imageNameOf(args));
  subnets.forEach(({ id }, index) => {
    if (id === undefined) refuse(at(at(at(place, "subnets"), index), "id"), id, "the id of a subnet that exists");
  });
  const list = at(place, "machines");
  requireUnique(
    (index) => at(at(list, index), "name"),
    machines.map((machine) => machine.name),
  );
  return machines.map((machine, index) => {
    const item = at(list, index);
    requireLabel(at(item, "name"), machine.name, 32);
    if (machine.role !== MachineRole.Client) refuse(at(item, "role"), machine.role, `"${MachineRole.Client}"`);
    return requireInstance(item, machine, { architecture, subnets });
  });
}
