import { at, type InputPlace, refuse } from "../refusal/refusal.ts";
import { machinesFault } from "../rules/machines.ts";
import { requireAddress } from "../values/addresses.ts";
import { requireLabel } from "../values/names.ts";
import type { Machine } from "./machine.ts";

/** Refuses machines that cannot form one cluster. */
export function requireMachines(place: InputPlace, machines: Machine[]): Machine[] {
  machines.forEach((machine, index) => {
    const item = at(place, index);
    requireLabel(at(item, "name"), machine.name, 32);
    requireAddress(at(item, "address"), machine.address);
  });
  const fault = machinesFault(machines);
  if (!fault) return machines;
  const [index, field] = fault.path as [] | [number, "name" | "address"];
  if (index === undefined || field === undefined) {
    const received = machines.map((machine) => machine.role);
    return refuse(place, received, fault.allowed);
  }
  return refuse(at(at(place, index), field), machines[index]?.[field], fault.allowed);
}
