import { firstProcess } from "../machines/machine.ts";
import { isAlive } from "../machines/processes.ts";
import { findRemains, type Remains } from "../machines/removal.ts";
import { kubeconfigFile } from "../names.ts";
import { isBootstrapped } from "./bootstrap.ts";
import { readState } from "./state.ts";

/** What `status` prints: the existing parts of a lab, complete or not. */
export interface LabStatus {
  lab: string;
  exists: boolean;
  machines: { name: string; role: string; address: string; running: boolean; pid?: number; bootstrapped?: boolean }[];
  forwarder?: { port: number; running: boolean };
  /** Path of the kubeconfig. */
  kubeconfig?: string;
  remains: Omit<Remains, "processes"> & { processes: number };
}

export function status(lab: string): LabStatus {
  const state = readState(lab);
  const { processes, ...remains } = findRemains(lab);
  const machines = (state?.spec.machines ?? []).map(({ name, role, address }) => {
    const pid = firstProcess(lab, name)?.pid;
    const node = role !== "client";
    return {
      name,
      role,
      address,
      running: pid !== undefined,
      pid,
      ...(node && { bootstrapped: isBootstrapped(lab, name) }),
    };
  });
  const forwarder = state?.forwarder;
  return {
    lab,
    exists: state !== undefined,
    machines,
    ...(forwarder && { forwarder: { port: forwarder.port, running: isAlive(forwarder) } }),
    ...(state && { kubeconfig: kubeconfigFile(lab) }),
    remains: { processes: processes.length, ...remains },
  };
}
