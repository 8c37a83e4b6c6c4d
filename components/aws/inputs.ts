import { MachineRole } from "../machine/machine.ts";
import { at, type InputPlace, refuse } from "../refusal/refusal.ts";
import { contains, firstAndLast } from "../rules/addresses.ts";
import { defaultInstanceType, requireInstanceType } from "./instance-type.ts";
import type { Architecture, AwsMachine } from "./machine.ts";
import type { AwsSubnet } from "./subnet.ts";

/** A machine whose instance type is known. */
export type TypedMachine = AwsMachine & { instanceType: string };

/** Refuses what cannot be an instance in one of the subnets; its type is filled in. */
export function requireInstance<M extends AwsMachine>(
  place: InputPlace,
  machine: M,
  { architecture, subnets }: { architecture: Architecture; subnets: AwsSubnet[] },
): M & { instanceType: string } {
  const { role, address, spot } = machine;
  if (role === MachineRole.Router)
    refuse(at(place, "role"), role, '"control-plane", "worker" or "client": the VPC routes between its subnets');
  const subnet = subnets.find(({ cidr }) => contains(cidr, address));
  const all = subnets.map(({ cidr }) => cidr).join(", ");
  if (!subnet) return refuse(at(place, "address"), address, `inside one of the subnets: ${all}`);
  // AWS keeps the first four and the last (VPC user guide, "Subnet sizing").
  const [first, last] = firstAndLast(subnet.cidr);
  const offset = number(address) - number(first);
  if (offset < 4 || address === last) {
    refuse(at(place, "address"), address, `another one of ${subnet.cidr}: the first four and the last belong to AWS`);
  }
  if (spot && role !== MachineRole.Worker) refuse(at(place, "spot"), spot, `false for a machine with role "${role}"`);
  const instanceType = machine.instanceType ?? defaultInstanceType(architecture, role !== MachineRole.Client);
  return { ...machine, instanceType: requireInstanceType(at(place, "instanceType"), instanceType, architecture) };
}

function number(address: string): number {
  return address.split(".").reduce((sum, part) => sum * 256 + Number(part), 0);
}
