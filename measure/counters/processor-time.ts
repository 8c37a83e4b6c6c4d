import { readFileSync } from "node:fs";

/** Seconds that all processors together spent since the computer started. */
export interface ProcessorTime {
  /** Everything but idle and stolen time. */
  busy: number;
  /** Of that, in softirq: packet processing that is not charged to a process. */
  softirq: number;
  /** Steal time: taken by the host of a virtual computer. */
  steal: number;
  total: number;
}

/** Units of /proc/stat per second (USER_HZ, the same on every architecture). */
const unitsPerSecond = 100;

/** The first line of /proc/stat (proc(5)). @throws Error when it is not valid */
export function parseProcessorTime(stat: string): ProcessorTime {
  const fields = /^cpu +(.+)/
    .exec(stat)?.[1]
    ?.split(" ")
    .map((field) => Number(field) / unitsPerSecond);
  if (!fields || fields.length < 8 || fields.some(Number.isNaN))
    throw new Error("/proc/stat does not begin with the sum of all processors");
  const [user, nice, system, idle, iowait, irq, softirq, steal] = fields as [
    number,
    number,
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  // guest time, the fields after these, is counted in user already.
  const busy = user + nice + system + irq + softirq;
  return { busy, softirq, steal, total: busy + idle + iowait + steal };
}

export const readProcessorTime = (): ProcessorTime => parseProcessorTime(readFileSync("/proc/stat", "utf8"));

export function processorTimeBetween(before: ProcessorTime, after: ProcessorTime): ProcessorTime {
  return {
    busy: after.busy - before.busy,
    softirq: after.softirq - before.softirq,
    steal: after.steal - before.steal,
    total: after.total - before.total,
  };
}

/**
 * Share of the time that a measurement lost: to the host, and to programs that do not belong to it.
 * @param own seconds that the measurement's processes were charged for, without softirq
 */
export const takenShare = ({ steal, busy, softirq, total }: ProcessorTime, own: number): number =>
  total > 0 ? Math.min(1, (steal + Math.max(0, busy - softirq - own)) / total) : 0;

/** Seconds that this process was charged for so far. */
export function ownProcessSeconds(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}

/** Share of the time that the host took; 0 if the interval is too short to measure. */
export const stealShare = ({ steal, total }: ProcessorTime): number => (total > 0 ? Math.min(1, steal / total) : 0);
