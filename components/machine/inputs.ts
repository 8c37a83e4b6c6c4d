import { at, type InputPlace, refuse } from "../refusal/refusal.ts";
import { requireAddress } from "../values/addresses.ts";
import { requireUnique } from "../values/choices.ts";
import { requireLabel } from "../values/names.ts";
import { type Machine, MachineRole } from "./machine.ts";

/** Refuses machines that cannot form one cluster. */
export function requireMachines(place: InputPlace, machines: Machine[]): Machine[] {
  machines.forEach((machine, index) => {
    const item = at(place, index);
    requireLabel(at(item, "name"), machine.name, 32);
    requireAddress(at(item, "address"), machine.address);
  });
  const field = (name: string) => (index: number) => at(at(place, index), name);
  requireUnique(
    field("name"),
    machines.map((machine) => machine.name),
  );
  requireUnique(
    field("address"),
    machines.map((machine) => machine.address),
  );
  const controlPlanes = machines.filter((machine) => machine.role === MachineRole.ControlPlane);
  if (controlPlanes.length !== 1) {
    const received = machines.map((machine) => machine.role);
    refuse(place, received, `a list with exactly one machine of the role "${MachineRole.ControlPlane}"`);
  }
  return machines;
}
