import * as pulumi from "@pulumi/pulumi";
import { requireArguments } from "../arguments/arguments.ts";
import { imageId } from "../aws/image.ts";
import { addressesOf, instance } from "../aws/instance.ts";
import { offered } from "../aws/offerings.ts";
import { awsSdk } from "../aws/sdk.ts";
import { placeIn } from "../aws/subnet.ts";
import type { MachineAddress } from "../machine/machine.ts";
import { componentType } from "../program/package-name.ts";
import { argumentsOf, at, checked } from "../refusal/refusal.ts";
import { requireWhole } from "../values/choices.ts";
import type { ClientMachinesArgs } from "./args.ts";
import { requireClientMachines } from "./inputs.ts";

/** EC2 instances outside the cluster that use its services. */
export class ClientMachines extends pulumi.ComponentResource {
  /** The machines by their private addresses, which services see. */
  readonly clients: pulumi.Output<MachineAddress[]>;
  /** The same by the addresses that are reached from outside; empty ones where they have none. */
  readonly publicClients: pulumi.Output<MachineAddress[]>;

  constructor(name: string, args: ClientMachinesArgs, opts?: pulumi.ComponentResourceOptions) {
    const place = argumentsOf("ClientMachines", name);
    args = requireArguments(place, "ClientMachines", args);
    const diskSize = checked(args.diskSize ?? 8, (size) => requireWhole(at(place, "diskSize"), size, 8, 16384));
    const machines = requireClientMachines(place, args);
    super(componentType("ClientMachines"), name, args, opts);
    const sdk = awsSdk();
    const answers = offered(sdk, place, { machines, subnets: args.subnets }, { parent: this });
    const image = imageId(sdk, place, args, answers, { parent: this });
    const places = machines.map((machine) => ({ machine, ...placeIn(args.subnets, machine.address) }));
    const made = places.map(({ machine, subnetId, addressIpv6 }) => ({
      machine,
      addressIpv6,
      instance: instance(
        sdk,
        `${name}-${machine.name}`,
        {
          machine,
          instanceType: machine.instanceType,
          imageId: image,
          subnetId,
          addressIpv6,
          securityGroupIds: args.securityGroupIds,
          sourceDestCheck: true,
          publicAddress: args.publicAddresses ?? true,
          diskSize,
          tags: args.tags ?? {},
          keyName: args.keyName,
          instanceProfile: args.instanceProfile,
        },
        { parent: this },
      ),
    }));
    this.clients = pulumi.all(
      made.map(({ machine, instance, addressIpv6 }) => addressesOf(machine.name, instance, addressIpv6)),
    );
    this.publicClients = pulumi.all(
      made.map(({ machine, instance }) => ({ name: machine.name, address: instance.publicIp })),
    );
    this.registerOutputs({ clients: this.clients, publicClients: this.publicClients });
  }
}
