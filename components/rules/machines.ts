// What machines of one cluster must be together.

/** A machine as far as the others matter to it. */
export interface MachineLike {
  name: string;
  role: string;
  address: string;
  addressIpv6?: string | undefined;
}

/** What is wrong with a list: where in it, and what must be there. */
export interface ListFault {
  path: (string | number)[];
  allowed: string;
}

/** Why machines cannot form one cluster: names and addresses differ, one is the control plane. */
export function machinesFault(machines: MachineLike[]): ListFault | undefined {
  const repeated =
    duplicateOf(machines, "name") ?? duplicateOf(machines, "address") ?? duplicateOf(machines, "addressIpv6");
  if (repeated) return repeated;
  const controlPlanes = machines.filter(({ role }) => role === "control-plane");
  if (controlPlanes.length === 1) return undefined;
  return { path: [], allowed: 'a list with exactly one machine of the role "control-plane"' };
}

function duplicateOf(machines: MachineLike[], field: "name" | "address" | "addressIpv6"): ListFault | undefined {
  const values = machines.map((machine) => machine[field]);
  const index = values.findIndex((value, place) => value !== undefined && values.indexOf(value) !== place);
  if (index < 0) return undefined;
  const first = values.indexOf(values[index]);
  return { path: [index, field], allowed: `different from machines[${first}].${field}` };
}
