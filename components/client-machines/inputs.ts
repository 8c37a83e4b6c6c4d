import { imageNameOf, requireImageName } from "../aws/image.ts";
import { requireInstance } from "../aws/inputs.ts";
import { Architecture } from "../aws/machine.ts";
import { MachineRole } from "../machine/machine.ts";
import { at, type InputPlace, refuse } from "../refusal/refusal.ts";
import { requireUnique } from "../values/choices.ts";
import { requireLabel } from "../values/names.ts";
import type { ClientMachinesArgs } from "./args.ts";

/** Refuses what cannot be clients. @returns the machines with their types */
export function requireClientMachines(place: InputPlace, args: ClientMachinesArgs) {
  const { machines, subnets, architecture = Architecture.Amd64 } = args;
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
