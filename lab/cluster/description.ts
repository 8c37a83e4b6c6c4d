import { API_SERVER_PORT } from "../../components/documents/defaults.ts";
import { firstAddress, type LabMachine, type LabResult, type LabSpec } from "../../components/documents/lab.ts";

/** What `up` prints to stdout. */
export interface LabDescription extends LabResult {
  lab: string;
  /** The address for nodes. */
  apiServer: { host: string; port: number };
  nodes: { name: string; address: string }[];
  clients: { name: string; address: string }[];
}

export const isNode = ({ role }: LabMachine): boolean => role === "control-plane" || role === "worker";
export const controlPlaneOf = (spec: LabSpec): LabMachine =>
  spec.machines.find(({ role }) => role === "control-plane") as LabMachine;

export function describeLab(spec: LabSpec, kubeconfig: string): LabDescription {
  const place = ({ name, address }: LabMachine) => ({ name, address });
  return {
    lab: spec.name,
    kubeconfig,
    apiServer: { host: firstAddress(spec, controlPlaneOf(spec)), port: API_SERVER_PORT },
    nodes: spec.machines.filter(isNode).map(place),
    clients: spec.machines.filter(({ role }) => role === "client").map(place),
  };
}
