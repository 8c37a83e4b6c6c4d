import { readFileSync } from "node:fs";
import type { LabMachine } from "../../components/documents/lab.ts";
import { MIB, type Needed, requireRoom } from "./room.ts";

/** Bytes that a machine needs when nothing of a user runs on it, as `lab list` shows them a minute after `up`, rounded down. */
const NEEDED: Needed = {
  "control-plane": 800 * MIB,
  worker: 300 * MIB,
  client: 4 * MIB,
  router: 8 * MIB,
};

/** Bytes that processes of this computer can still get, files that the kernel can drop among them (proc_meminfo(5)). */
export function availableMemory(meminfo = readFileSync("/proc/meminfo", "utf8")): number {
  return Number(/^MemAvailable:\s+(\d+) kB$/m.exec(meminfo)?.[1] ?? Number.POSITIVE_INFINITY) * 1024;
}

/** When memory is short, the kernel kills processes, and a cluster with killed processes gives misleading results.
 * @param booting the machines that are to be started
 * @throws LabFailure (exit code 2) if this computer has too little memory for them */
export function requireMemory(lab: string, booting: LabMachine[], available = availableMemory()): void {
  const next = "ask for fewer nodes, or remove other labs ('make labs' shows what each uses)";
  requireRoom(lab, booting, NEEDED, { of: "memory", where: "this computer", available, next });
}
