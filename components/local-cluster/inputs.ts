import * as pulumi from "@pulumi/pulumi";
import { clusterNetworks } from "../documents/cluster-networks.ts";
import { labAddressIpv6, labSchema } from "../documents/lab.ts";
import { type Machine, MachineRole, WALK_THROUGH_MACHINES } from "../machine/machine.ts";
import { requireDocument } from "../refusal/document.ts";
import type { InputPlace } from "../refusal/refusal.ts";
import { DEFAULT_RELEASE } from "../release/kubernetes-release.ts";
import { familiesOf, isIpv6Alone } from "../rules/families.ts";
import type { LocalClusterArgs } from "./args.ts";

/** The lab that is asked for. Refuses what `lab up` would refuse. */
export function labOf(place: InputPlace, args: LocalClusterArgs) {
  const { name = "local", kubernetesVersion = DEFAULT_RELEASE, machines = usualMachines(args), subnets } = args;
  const networks = clusterNetworks(args);
  // Families that follow from the networks are left out: it is the same lab, which is not made again.
  const isImplied = `${familiesOf(args)}` === `${familiesOf(networks)}`;
  const families = isImplied ? {} : { ipFamilies: args.ipFamilies };
  const further = { ...families, ...(subnets !== undefined && { subnets }) };
  const asked = requireDocument(place, labSchema, { name, kubernetesVersion, ...networks, ...further, machines });
  const controlPlaneFirst = [...machines].sort((one, other) => rank(one) - rank(other));
  const document = pulumi.output(asked).apply((known) => ({ ...known, machines: controlPlaneFirst }));
  // What a running lab cannot change: with another value it is another lab, which takes the former one's place. Workers and clients come and go.
  const unchangeable = document.apply(({ kubernetesVersion: _, machines: all, ...rest }) => ({
    ...rest,
    machines: all.filter(({ role }) => role === MachineRole.ControlPlane || role === MachineRole.Router),
  }));
  const isDualStack = familiesOf(args).length > 1;
  return { name, kubernetesVersion, machines: controlPlaneFirst, isDualStack, document, unchangeable };
}

function usualMachines(args: LocalClusterArgs): Machine[] {
  if (!isIpv6Alone(args)) return WALK_THROUGH_MACHINES;
  return WALK_THROUGH_MACHINES.map((machine) => ({ ...machine, address: labAddressIpv6(machine) }));
}

function rank(machine: Machine): number {
  return machine.role === MachineRole.ControlPlane ? 0 : 1;
}
