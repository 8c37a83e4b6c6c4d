// Processor time that belongs to a measurement: of whole machines by their cgroups, and of the kernel's softirq threads,
// which process packets of any sender. Independent of other load on the computer.
import { existsSync, globSync, readFileSync } from "node:fs";
import { machineCgroups } from "../lab/machines/cgroups.ts";
import { machineNamespace } from "../lab/names.ts";
import type { TestbedMachine } from "./testbed/testbed-machine.ts";

/** Seconds so far: of the machines' processes. */
export const machineCpuSeconds = (machines: readonly TestbedMachine[]): number =>
  machines
    .map(({ lab, name }) => cgroupSeconds(machineCgroups(machineNamespace(lab, name)).roots))
    .reduce((sum, seconds) => sum + seconds, 0);

/** Seconds so far: of the machines' processes and of the kernel's softirq threads. */
export const ownCpuSeconds = (machines: readonly TestbedMachine[]): number =>
  machineCpuSeconds(machines) + softirqSeconds();

/** cgroup v1 counts nanoseconds in cpuacct.usage, v2 microseconds in cpu.stat; a hybrid host has the first. */
function cgroupSeconds(roots: readonly string[]): number {
  for (const root of roots)
    if (existsSync(`${root}/cpuacct.usage`)) return Number(readFileSync(`${root}/cpuacct.usage`, "utf8")) / 1e9;
  for (const root of roots) {
    if (!existsSync(`${root}/cpu.stat`)) continue;
    const used = /^usage_usec (\d+)$/m.exec(readFileSync(`${root}/cpu.stat`, "utf8"))?.[1];
    if (used) return Number(used) / 1e6;
  }
  return 0;
}

let threads: string[] | undefined;

/** First field of schedstat: nanoseconds on a processor (Documentation/scheduler/sched-stats.rst). */
function softirqSeconds(): number {
  threads ??= globSync("/proc/[0-9]*/comm")
    .filter((file) => read(file).startsWith("ksoftirqd/"))
    .map((file) => file.replace(/comm$/, "schedstat"));
  return threads.reduce((sum, file) => sum + Number(read(file).split(" ")[0]) / 1e9, 0);
}

function read(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return ""; // a process that ended meanwhile
  }
}
