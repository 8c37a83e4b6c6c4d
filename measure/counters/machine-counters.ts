import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { LabMachine } from "../../verify/lab.ts";

/** Counters of a lab machine since its start. */
export interface MachineCounters {
  /** Processor time of its processes, nanoseconds: including the processing of packets that they send. */
  processNs: number;
  /** Packets in and out of its uplink. */
  packets: number;
}

/** Reads a machine's counters from this computer, without a process in the machine: a read costs microseconds. */
export class MachineMeter {
  readonly name: string;
  readonly #network: string;
  readonly #processorTime: () => number;

  /** @throws Error when the machine does not run */
  constructor({ name, pid }: LabMachine) {
    if (pid === undefined) throw new Error(`machine ${name} does not run: make up`);
    this.name = name;
    this.#network = `/proc/${pid}/net/dev`;
    this.#processorTime = processorTimeOf(
      name,
      readFileSync(`/proc/${pid}/cgroup`, "utf8"),
      readFileSync("/proc/self/mounts", "utf8"),
    );
  }

  read(): MachineCounters {
    return { processNs: this.#processorTime(), packets: parsePackets(readFileSync(this.#network, "utf8"), "eth0") };
  }
}

/** Packets in and out of a device, from /proc/net/dev. */
export function parsePackets(text: string, device: string): number {
  const line = text.split("\n").find((one) => one.trimStart().startsWith(`${device}:`));
  const fields = line?.split(":")[1]?.trim().split(/\s+/).map(Number) ?? [];
  if (fields.length < 16) throw new Error(`/proc/net/dev has no device ${device}`);
  return (fields[1] as number) + (fields[9] as number);
}

/** The cgroup file with the processor time of a machine, from its first process's cgroups. */
export function processorTimeFile(cgroups: string, mounts: string): { path: string; version: 1 | 2 } {
  const lines = cgroups
    .trim()
    .split("\n")
    .map((line) => line.split(":") as [string, string, string]);
  const mounted = mounts.split("\n").map((line) => line.split(" "));
  const accounting = lines.find(([, controllers]) => controllers.split(",").includes("cpuacct"));
  if (accounting) {
    const mount = mounted.find(
      ([, , type, options]) => type === "cgroup" && options?.split(",").includes("cpuacct"),
    )?.[1];
    if (mount) return { path: join(mount, accounting[2], "cpuacct.usage"), version: 1 };
  }
  const unified = lines.find(([id, controllers]) => id === "0" && controllers === "")?.[2];
  const mount = mounted.find(([, , type]) => type === "cgroup2")?.[1];
  if (unified === undefined || !mount) throw new Error("no cgroup hierarchy counts processor time");
  // A machine's first process lives in a leaf of the machine's cgroup.
  return { path: join(mount, dirname(unified), "cpu.stat"), version: 2 };
}

function processorTimeOf(machine: string, cgroups: string, mounts: string): () => number {
  const { path, version } = processorTimeFile(cgroups, mounts);
  return () => {
    const text = readFileSync(path, "utf8");
    const nanoseconds = version === 1 ? Number(text) : 1000 * Number(/^usage_usec (\d+)/m.exec(text)?.[1]);
    if (Number.isNaN(nanoseconds)) throw new Error(`${path} has no processor time of machine ${machine}`);
    return nanoseconds;
  };
}
