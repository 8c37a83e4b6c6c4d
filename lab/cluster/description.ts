import { apiServerPort } from "../names.ts";
import type { LabSpec, MachineSpec } from "../spec.ts";

/** What `up` answers on stdout. */
export interface LabDescription {
  lab: string;
  /** The text of an admin's kubeconfig, by the loopback forwarder. */
  kubeconfig: string;
  /** As nodes reach it. */
  apiServer: { host: string; port: number };
  nodes: { name: string; address: string }[];
  clients: { name: string; address: string }[];
}

export const isNode = ({ role }: MachineSpec): boolean => role !== "client";
export const controlPlaneOf = (spec: LabSpec): MachineSpec =>
  spec.machines.find(({ role }) => role === "control-plane") as MachineSpec;

export function describeLab(spec: LabSpec, kubeconfig: string): LabDescription {
  const place = ({ name, address }: MachineSpec) => ({ name, address });
  return {
    lab: spec.name,
    kubeconfig,
    apiServer: { host: controlPlaneOf(spec).address, port: apiServerPort },
    nodes: spec.machines.filter(isNode).map(place),
    clients: spec.machines.filter((machine) => !isNode(machine)).map(place),
  };
}
