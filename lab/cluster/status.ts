import { existsSync } from "node:fs";
import { labAddressIpv6 } from "../../components/documents/lab.ts";
import type { LabLink, LabSubnet } from "../../components/documents/lab-network.ts";
import { holderOf } from "../lock.ts";
import { firstProcess } from "../machines/machine.ts";
import { hasIpv6 } from "../machines/namespaces.ts";
import { isAlive } from "../machines/processes.ts";
import { findRemains, type Remains } from "../machines/removal.ts";
import { kubeconfigFile } from "../names.ts";
import { isBootstrapped } from "./bootstrap.ts";
import { isNode } from "./description.ts";
import { CLOUD, type ClusterState, readState } from "./state.ts";

export interface MachineStatus {
  name: string;
  role: string;
  address: string;
  /** Absent where the machine has a link-local IPv6 address only, or no IPv4 address. */
  addressIpv6?: string;
  /** As its specification has them. */
  subnet?: string;
  link?: LabLink;
  running: boolean;
  pid?: number;
  bootstrapped?: boolean;
}

/** What `status` prints: the existing parts of a lab, complete or not. */
export interface LabStatus {
  lab: string;
  exists: boolean;
  /** Absent: one, whose gateway is the switch. */
  subnets?: LabSubnet[];
  machines: MachineStatus[];
  forwarder?: { port: number; running: boolean };
  /** Path of the kubeconfig; absent: the cluster is not complete yet, or it is a rehearsal of AWS. */
  kubeconfig?: string;
  /** What works on the lab now, as "'up' (process 12)". */
  worker?: string;
  remains: Omit<Remains, "processes"> & { processes: number };
}

/** The machines that a lab is recorded to have. */
export function machinesOf(lab: string, state: ClusterState | undefined): MachineStatus[] {
  return (state?.spec.machines ?? []).map((machine) => {
    const { name, role, address, subnet, link } = machine;
    // A cloud says which of its instances have one.
    const addressIpv6 =
      state?.spec.kubernetesVersion === CLOUD ? machine.addressIpv6 : labAddressIpv6(machine, state?.spec);
    const pid = firstProcess(lab, name)?.pid;
    return {
      name,
      role,
      address,
      ...(hasIpv6() && addressIpv6 !== undefined && addressIpv6 !== address && { addressIpv6 }),
      ...(subnet !== undefined && { subnet }),
      ...(link !== undefined && { link }),
      running: pid !== undefined,
      pid,
      ...(isNode(machine) && { bootstrapped: isBootstrapped(lab, name) }),
    };
  });
}

export async function status(lab: string): Promise<LabStatus> {
  const worker = await holderOf(lab);
  const state = readState(lab);
  const { processes, ...remains } = findRemains(lab);
  const machines = machinesOf(lab, state);
  const forwarder = state?.forwarder;
  return {
    lab,
    exists: state !== undefined,
    ...(state?.spec.subnets && { subnets: state.spec.subnets }),
    machines,
    ...(forwarder && { forwarder: { port: forwarder.port, running: isAlive(forwarder) } }),
    ...(state && existsSync(kubeconfigFile(lab)) && { kubeconfig: kubeconfigFile(lab) }),
    ...(worker !== undefined && { worker }),
    remains: { processes: processes.length, ...remains },
  };
}
