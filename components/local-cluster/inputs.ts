import { requireMachines } from "../machine/inputs.ts";
import { type Machine, MachineRole, WALK_THROUGH_MACHINES } from "../machine/machine.ts";
import { at, type InputPlace, refuse } from "../refusal/refusal.ts";
import { requireRelease } from "../release/inputs.ts";
import { DEFAULT_RELEASE } from "../release/kubernetes-release.ts";
import { contains, firstAndLast, overlap, requireServiceSubnet, requireUnicastCidr } from "../values/addresses.ts";
import type { LocalClusterArgs } from "./args.ts";

/** The network of a lab's machines, and its switch in it (`lab/names.ts`). */
const LAB_SUBNET = "172.31.1.0/24";
const LAB_SWITCH = "172.31.1.1";

/** The document that `lab up` reads, from checked arguments. */
export function labOf(place: InputPlace, args: LocalClusterArgs) {
  const { name = "local", kubernetesVersion = DEFAULT_RELEASE, machines = WALK_THROUGH_MACHINES } = args;
  const { podSubnet = "10.244.0.0/16", serviceSubnet = "10.96.0.0/12" } = args;
  if (!/^[a-z][a-z0-9]{0,11}$/.test(name)) {
    refuse(at(place, "name"), name, "at most 12 lower case letters and digits, beginning with a letter");
  }
  requireRelease(at(place, "kubernetesVersion"), kubernetesVersion);
  requireUnicastCidr(at(place, "podSubnet"), podSubnet, 24);
  requireServiceSubnet(at(place, "serviceSubnet"), serviceSubnet);
  if (overlap(podSubnet, serviceSubnet)) {
    refuse(at(place, "podSubnet"), podSubnet, `apart from serviceSubnet ${serviceSubnet}`);
  }
  for (const [field, cidr] of Object.entries({ podSubnet, serviceSubnet })) {
    if (overlap(cidr, LAB_SUBNET)) refuse(at(place, field), cidr, `apart from the machines' network ${LAB_SUBNET}`);
  }
  requireMachines(at(place, "machines"), machines);
  machines.forEach((machine, index) => {
    const item = at(at(place, "machines"), index);
    // What a host name, a network namespace and a cgroup may all be called.
    if (machine.name === "switch" || !/^[a-z]/.test(machine.name)) {
      refuse(
        at(item, "name"),
        machine.name,
        'a name that begins with a letter and is not "switch", which is the lab\'s own',
      );
    }
    const taken = [LAB_SWITCH, ...firstAndLast(LAB_SUBNET)].includes(machine.address);
    if (!contains(LAB_SUBNET, machine.address) || taken) {
      refuse(at(item, "address"), machine.address, `from 172.31.1.2 to 172.31.1.254, the machines' network`);
    }
  });
  const controlPlaneFirst = [...machines].sort((one, other) => rank(one) - rank(other));
  return { name, kubernetesVersion, podSubnet, serviceSubnet, machines: controlPlaneFirst };
}

function rank(machine: Machine): number {
  return machine.role === MachineRole.ControlPlane ? 0 : 1;
}
