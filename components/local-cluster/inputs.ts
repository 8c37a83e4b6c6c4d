import * as pulumi from "@pulumi/pulumi";
import { POD_NETWORK, SERVICE_NETWORK } from "../documents/defaults.ts";
import { labSchema } from "../documents/lab.ts";
import { type Machine, MachineRole, WALK_THROUGH_MACHINES } from "../machine/machine.ts";
import { requireDocument } from "../refusal/document.ts";
import type { InputPlace } from "../refusal/refusal.ts";
import { DEFAULT_RELEASE } from "../release/kubernetes-release.ts";
import type { LocalClusterArgs } from "./args.ts";

/** The lab that is asked for. Refuses what `lab up` would refuse. */
export function labOf(place: InputPlace, args: LocalClusterArgs) {
  const { name = "local", kubernetesVersion = DEFAULT_RELEASE, machines = WALK_THROUGH_MACHINES } = args;
  const { podSubnet = POD_NETWORK, serviceSubnet = SERVICE_NETWORK, podSubnetIpv6, serviceSubnetIpv6 } = args;
  const networks = {
    podSubnet,
    serviceSubnet,
    ...(podSubnetIpv6 !== undefined && { podSubnetIpv6 }),
    ...(serviceSubnetIpv6 !== undefined && { serviceSubnetIpv6 }),
  };
  const { firstFamily, subnets } = args;
  const further = { ...(firstFamily !== undefined && { firstFamily }), ...(subnets !== undefined && { subnets }) };
  const asked = requireDocument(place, labSchema, { name, kubernetesVersion, ...networks, ...further, machines });
  const controlPlaneFirst = [...machines].sort((one, other) => rank(one) - rank(other));
  const document = pulumi.output(asked).apply((known) => ({ ...known, machines: controlPlaneFirst }));
  const isDualStack = podSubnetIpv6 !== undefined;
  return { name, kubernetesVersion, machines: controlPlaneFirst, isDualStack, document };
}

function rank(machine: Machine): number {
  return machine.role === MachineRole.ControlPlane ? 0 : 1;
}
