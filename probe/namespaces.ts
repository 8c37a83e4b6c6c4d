// The network namespace of a pod of this node, found by its processes: the same with every dataplane and every container runtime.
import { readdirSync, readFileSync } from "node:fs";

/**
 * A pod of the prober's node as `NAMESPACE/NAME:UID`. Its cgroups are named by its UID, its name is for messages.
 * @see podReference
 */
export type PodReference = string;

/** Names a pod for a prober. @param name NAMESPACE/NAME */
export const podReference = (name: string, uid: string): PodReference => `${name}:${uid}`;

/** NAMESPACE/NAME. */
export const nameOf = (pod: PodReference): string => pod.split(":")[0] ?? pod;

/** The path of a pod's network namespace. Throws if no process of the pod runs on this node. */
export function namespaceOf(pod: PodReference, proc = "/proc"): string {
  const uid = pod.split(":")[1];
  if (!uid) throw new Error(`pod ${pod}: its UID is not known`);
  const [process] = processesOfPod(uid, proc)
    .map((pid) => ({ pid, started: startOf(pid, proc) }))
    .sort((one, other) => one.started - other.started);
  if (!process) throw new Error(`pod ${nameOf(pod)} has no process on this node yet`);
  return `${proc}/${process.pid}/ns/net`;
}

/** Processes of a pod that runs on this computer. */
export function processesOfPod(uid: string, proc = "/proc"): number[] {
  const names = [uid, uid.replaceAll("-", "_")]; // the systemd driver writes it with underscores
  return readdirSync(proc)
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      const cgroups = textOf(`${proc}/${pid}/cgroup`);
      return names.some((name) => cgroups.includes(name));
    })
    .map(Number);
}

/** Field 22 of proc_pid_stat(5), counted behind the program's name, which may hold spaces. The oldest process is the pod's own, which
 * is in its namespaces; processes of containers may have moved to others. */
function startOf(pid: number, proc: string): number {
  const fields = textOf(`${proc}/${pid}/stat`).split(") ").at(-1)?.split(" ") ?? [];
  return Number(fields[19] ?? Number.POSITIVE_INFINITY);
}

/** Empty for a process that has ended. */
function textOf(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}
