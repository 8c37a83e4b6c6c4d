import { spawn } from "node:child_process";
import { existsSync, openSync, readFileSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { LabFailure } from "../failure.ts";
import { bootScript, cacheFolder, packageFolder } from "../installation.ts";
import { register } from "../journal.ts";
import { machineDisk, machineFolder, machineLog, machineNamespace } from "../names.ts";
import {
  createCgroups,
  findCgroups,
  type MachineCgroups,
  machineCgroups,
  processesIn,
  removeCgroups,
} from "./cgroups.ts";
import { sharedSettings } from "./disk.ts";
import { lastLines } from "./log.ts";
import { findNamespaces, removeNamespaces } from "./namespaces.ts";
import {
  identify,
  isAlive,
  isFirstOfNamespace,
  killAll,
  type ProcessIdentity,
  processesInNamespaces,
} from "./processes.ts";

/** The services that run on a machine. */
export type Service = "containerd" | "kubelet" | "bootstrap" | "bird";

const processFile = (lab: string, machine: string): string => join(machineFolder(lab, machine), "process.json");

/** The machine's first process, or undefined when the machine is not running. */
export function firstProcess(lab: string, machine: string): ProcessIdentity | undefined {
  try {
    const identity = JSON.parse(readFileSync(processFile(lab, machine), "utf8")) as ProcessIdentity;
    return isAlive(identity) ? identity : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Powers a machine off: ends all processes in it or in its network namespace, and removes its cgroups and the
 * namespace. Its disk stays.
 */
export async function stopMachine(lab: string, machine: string): Promise<void> {
  const name = machineNamespace(lab, machine);
  const namespaces = findNamespaces(lab).filter((one) => one === name);
  const cgroups = findCgroups((one) => one === name);
  await killAll(() => [...cgroups.flatMap(processesIn), ...processesInNamespaces(namespaces)]);
  await removeNamespaces(namespaces);
  await removeCgroups(cgroups);
}

/** Paths of the host, other than its programs, that machines can see. */
function visible(): string[] {
  return [cacheFolder, packageFolder, dirname(process.execPath), ...sharedSettings.map((name) => join("/etc", name))];
}

function bootEnvironment(lab: string, machine: string, cgroups: MachineCgroups, services: Service[]) {
  return {
    PATH: process.env.PATH ?? "/usr/sbin:/usr/bin:/sbin:/bin",
    LAB_MACHINE: machine,
    LAB_NETNS: machineNamespace(lab, machine),
    LAB_ROOT: join(machineFolder(lab, machine), "root"),
    LAB_DISK: machineDisk(lab, machine),
    LAB_VISIBLE: visible().filter(existsSync).join(":"),
    LAB_CGROUPS: cgroups.roots.join(":"),
    LAB_CGROUP_LEAF: cgroups.leaf ?? "",
    LAB_CGROUP_MOUNTS: cgroups.mounts,
    LAB_SERVICES: services.join(" "),
  };
}

/** Long enough for a busy computer, and for an emulated one; boot.sh itself takes a fraction of a second. */
const bootSeconds = 300;

/** Waits until a machine's first process has started and assembled its root. */
async function waitForBoot(
  lab: string,
  machine: string,
  cgroup: string,
  ended: () => boolean,
): Promise<ProcessIdentity> {
  const deadline = Date.now() + bootSeconds * 1000;
  while (Date.now() < deadline && !ended()) {
    const identity = processesIn(cgroup).filter(isFirstOfNamespace).map(identify)[0];
    if (identity && existsSync(`/proc/${identity.pid}/root/run/booted`)) return identity;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  const log = machineLog(lab, machine);
  const how = ended() ? "" : ` within ${bootSeconds} s`;
  throw new LabFailure(`cannot boot machine ${machine}${how}:\n${lastLines(log)}`, { next: `the whole log is ${log}` });
}

/**
 * Boots a stopped machine whose network and disk exist. It outlives this process (own session, output to its log).
 * @throws LabFailure with the end of the boot log.
 */
export async function startMachine(lab: string, machine: string, services: Service[] = []): Promise<ProcessIdentity> {
  const name = machineNamespace(lab, machine);
  await mkdir(join(machineFolder(lab, machine), "root"), { recursive: true });
  register(lab, ...machineCgroups(name).roots.map((path) => ({ kind: "cgroup" as const, path })));
  const cgroups = await createCgroups(name);
  const log = openSync(machineLog(lab, machine), "w");
  const boot = spawn("/bin/bash", [bootScript()], {
    cwd: "/",
    detached: true,
    env: bootEnvironment(lab, machine, cgroups, services),
    stdio: ["ignore", log, log],
  });
  let ended = false;
  boot.once("exit", () => {
    ended = true;
  });
  boot.once("error", () => {
    ended = true;
  });
  const identity = await waitForBoot(lab, machine, cgroups.roots[0] as string, () => ended);
  boot.unref();
  await writeFile(processFile(lab, machine), JSON.stringify(identity));
  return identity;
}
