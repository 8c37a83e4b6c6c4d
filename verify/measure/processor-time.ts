// What the whole computer's processors did, by /proc/stat.
import { readFileSync } from "node:fs";

/** Seconds since the computer started, all processors together. */
export interface ProcessorTime {
  /** User, nice, system, interrupts: what was worked. */
  readonly busy: number;
  /** Of that, in softirqs that interrupted or were left to ksoftirqd. */
  readonly softirq: number;
  readonly idle: number;
  /** Time that the host gave to others. */
  readonly steal: number;
}

/** USER_HZ: the unit of /proc/stat on every processor Linux supports (proc_stat(5)). */
const TICKS_PER_SECOND = 100;

/** Reads the first line of /proc/stat. Guests' time is part of user time and not counted again. */
export function parseProcessorTime(stat: string): ProcessorTime {
  const [user = 0, nice = 0, system = 0, idle = 0, iowait = 0, irq = 0, softirq = 0, steal = 0] = (
    /^cpu +(.*)$/m.exec(stat)?.[1] ?? ""
  )
    .split(" ")
    .map((ticks) => Number(ticks) / TICKS_PER_SECOND);
  return { busy: user + nice + system + irq + softirq, softirq, idle: idle + iowait, steal };
}

export const processorTime = (): ProcessorTime => parseProcessorTime(readFileSync("/proc/stat", "utf8"));

/** What was spent between two readings. */
export function spentBetween(before: ProcessorTime, after: ProcessorTime): ProcessorTime & { stealShare: number } {
  const spent = {
    busy: after.busy - before.busy,
    softirq: after.softirq - before.softirq,
    idle: after.idle - before.idle,
    steal: after.steal - before.steal,
  };
  const all = spent.busy + spent.idle + spent.steal;
  return { ...spent, stealShare: all > 0 ? spent.steal / all : 0 };
}
