import * as pulumi from "@pulumi/pulumi";
import { requireArguments } from "../arguments/arguments";
import { imageId } from "../aws/image";
import { instance } from "../aws/instance";
import { offered } from "../aws/offerings";
import { awsSdk } from "../aws/sdk";
import { subnetOf } from "../aws/subnet";
import type { MachineAddress } from "../machine/machine";
import { componentType } from "../program/package-name";
import { argumentsOf } from "../refusal/refusal";
import type { ClientMachinesArgs } from "./args";
import { requireClientMachines } from "./inputs";

/** EC2 instances outside the cluster that use its services. */
export class ClientMachines extends pulumi.ComponentResource {
  /** The machines by their private addresses, which services see. */
  readonly clients: pulumi.Output<MachineAddress[]>;
  /** The same by the addresses that are reached from outside; empty ones where they have none. */
  readonly publicClients: pulumi.Output<MachineAddress[]>;

  constructor(name: string, args: ClientMachinesArgs, opts?: pulumi.ComponentResourceOptions) {
    const place = argumentsOf("ClientMachines", name);
    args = requireArguments(place, "ClientMachines", args);
    const machines = requireClientMachines(place, args);
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
