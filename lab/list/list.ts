import { existsSync, readdirSync } from "node:fs";
import { labNameRule } from "../../components/rules/names.ts";
import { readCloud } from "../cloud/place.ts";
import { isReady } from "../cluster/api-server.ts";
import { CLOUD, type ClusterState, readState } from "../cluster/state.ts";
import { type MachineStatus, machinesOf } from "../cluster/status.ts";
import { LabFailure } from "../failure.ts";
import { program } from "../installation.ts";
import { holderOf } from "../lock.ts";
import { workingSet } from "../machines/memory.ts";
import { findNamespaces } from "../machines/namespaces.ts";
import { type Origin, readOrigin } from "../machines/origin.ts";
import { isAlive } from "../machines/processes.ts";
import { kubeconfigFile, labsFolder, switchNamespace } from "../names.ts";
import { judge, type Sight, type Verdict } from "./verdict.ts";

/** A lab of this computer, as `lab list --json` prints it. */
export interface ListedLab extends Pick<Sight, "kind">, Pick<Verdict, "state" | "reason"> {
  lab: string;
  since?: string;
  user?: string;
  checkout?: string;
  stack?: string;
  kubernetesVersion?: string;
  machines: (Pick<MachineStatus, "name" | "role" | "address" | "addressIpv6" | "running"> & { memoryBytes?: number })[];
  /** Network namespaces, where no record says what machines there are. */
  namespaces?: string[];
  apiServer?: { url: string; ready: boolean };
  kubeconfig?: string;
  /** Of all its machines. */
  memoryBytes?: number;
  /** The command that removes the lab, if the lab is no longer usable. */
  remove?: string;
}

/** Names of all labs: those that have a folder, and those whose folder was lost but whose switch is there. */
export function labNames(): string[] {
  const folders = existsSync(labsFolder) ? readdirSync(labsFolder) : [];
  const switches = existsSync("/run/netns") ? readdirSync("/run/netns") : [];
  const found = [...folders, ...switches.flatMap((name) => /^(.*)-switch$/.exec(name)?.[1] ?? [])];
  return [...new Set(found)].filter((name) => labNameRule(name) === undefined).sort();
}

/** All labs of this computer. */
export async function listLabs(): Promise<ListedLab[]> {
  const labs = await Promise.all(labNames().map(describe));
  const left = labNames(); // one may have been removed meanwhile
  return labs.filter(({ lab }) => left.includes(lab));
}

/** Everything that is known about one lab, in any state, also while other commands work on it. */
async function describe(lab: string): Promise<ListedLab> {
  const { state, unreadable } = recordOf(lab);
  const origin = readOrigin(lab);
  const { maker, ...made }: Partial<Origin> = origin ?? {};
  const kind = state === undefined ? "machines" : state.spec.kubernetesVersion === CLOUD ? "cloud" : "cluster";
  const machines = machinesOf(lab, state);
  const apiServer = await apiServerOf(lab, state);
  const namespaces = findNamespaces(lab);
  const verdict = judge({
    kind,
    machines,
    unreadable,
    hasNamespaces: namespaces.length > 0,
    holder: await holderOf(lab),
    maker: maker && { pid: maker.pid, isAlive: isAlive(maker) },
    apiServerReady: apiServer?.ready,
  });
  const measured = machines.map(({ name, role, address, addressIpv6, running }) => {
    const memoryBytes = running ? workingSet(`${lab}-${name}`) : undefined;
    const place = { name, role, address, ...(addressIpv6 && { addressIpv6 }), running };
    return { ...place, ...(memoryBytes !== undefined && { memoryBytes }) };
  });
  const sizes = namespaces.flatMap((name) => (name === switchNamespace(lab) ? [] : (workingSet(name) ?? [])));
  return {
    lab,
    kind,
    state: verdict.state,
    ...(verdict.reason !== undefined && { reason: verdict.reason }),
    ...made,
    ...(kind === "cluster" && { kubernetesVersion: state?.spec.kubernetesVersion }),
    machines: measured,
    ...(kind === "machines" && { namespaces }),
    ...(apiServer && { apiServer }),
    ...(existsSync(kubeconfigFile(lab)) && { kubeconfig: kubeconfigFile(lab) }),
    ...(sizes.length > 0 && { memoryBytes: sizes.reduce((sum, size) => sum + size, 0) }),
    ...(verdict.isRemovable && { remove: ["node", ...program(), "down", lab].join(" ") }),
  };
}

function recordOf(lab: string): { state?: ClusterState | undefined; unreadable?: string } {
  try {
    return { state: readState(lab) };
  } catch (error) {
    if (error instanceof LabFailure) return { unreadable: error.message };
    throw error;
  }
}

async function apiServerOf(lab: string, state: ClusterState | undefined): Promise<ListedLab["apiServer"]> {
  const controlPlane = state?.spec.machines.find(({ role }) => role === "control-plane")?.name;
  const port = state?.forwarder?.port;
  if (controlPlane === undefined || port === undefined) return undefined;
  const host = readCloud(lab).instances.find(({ publicAddress }) => publicAddress !== undefined)?.publicAddress;
  // An error: the lab is being removed.
  const ready = await isReady({ lab, controlPlane, port, ...(host !== undefined && { host }) }).catch(() => false);
  return { url: `https://${host ?? "127.0.0.1"}:${port}`, ready };
}
