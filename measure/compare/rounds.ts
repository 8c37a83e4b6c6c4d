import type { ComparedMode } from "../../report/results/compare.ts";
import { type ProgramRunTime, readBpfRunTime, runTimeBetween } from "../counters/bpf-run-time.ts";
import type { MachineMeter } from "../counters/machine-counters.ts";
import {
  ownProcessSeconds,
  type ProcessorTime,
  processorTimeBetween,
  readProcessorTime,
  takenShare,
} from "../counters/processor-time.ts";
import type { RoundResult } from "../load/load.ts";
import type { Quiet } from "../statistics/disturbance.ts";

/** One round of one mode: new connections, or requests on one connection. */
export interface TimedRound extends Quiet {
  mode: ComparedMode;
  /** From 0; rounds with the same number were measured next to each other. */
  number: number;
  /** Of each answered connection, or request. */
  microseconds: number[];
  processor: ProcessorTime;
  /** By machine: processor time of its processes, nanoseconds. */
  processNs: Record<string, number>;
  instructions?: number;
}

/** A round in which the kernel counted the run time of its BPF programs. */
export interface CountedRound {
  mode: ComparedMode;
  connections: number;
  /** By machine. */
  packets: Record<string, number>;
  programs: ProgramRunTime[];
  bpfCounted: boolean;
}

/** Measures a round. The meters are read right before and right after; they cost microseconds. */
export async function timeRound(
  mode: ComparedMode,
  number: number,
  meters: MachineMeter[],
  run: () => Promise<RoundResult>,
): Promise<TimedRound> {
  const machinesBefore = readAll(meters);
  const before = { processor: readProcessorTime(), own: ownProcessSeconds() };
  const { nanoseconds, failures, instructions } = await run();
  const processor = processorTimeBetween(before.processor, readProcessorTime());
  const own = ownProcessSeconds() - before.own;
  const machines = readAll(meters);
  const processNs = Object.fromEntries(
    meters.map(({ name }) => [name, (machines[name]?.processNs ?? 0) - (machinesBefore[name]?.processNs ?? 0)]),
  );
  const machinesNs = Object.values(processNs).reduce((sum, ns) => sum + ns, 0);
  return {
    mode,
    number,
    microseconds: nanoseconds.map((each) => each / 1000),
    processor,
    takenShare: takenShare(processor, own + machinesNs / 1e9),
    failedConnections: Object.values(failures).reduce((sum, count) => sum + count, 0),
    processNs,
    ...(instructions !== undefined && { instructions }),
  };
}

/** Counts packets and BPF run time of a round. @param enter by node: the command prefix that runs a command there */
export async function countRound(
  mode: ComparedMode,
  meters: MachineMeter[],
  enter: Map<string, string[]>,
  run: () => Promise<RoundResult>,
): Promise<CountedRound> {
  const programsBefore = await readPrograms(enter);
  const before = readAll(meters);
  const { nanoseconds, bpfCounted } = await run();
  const after = readAll(meters);
  const programs = runTimeBetween(programsBefore, await readPrograms(enter));
  return {
    mode,
    connections: nanoseconds.length,
    packets: Object.fromEntries(
      meters.map(({ name }) => [name, (after[name]?.packets ?? 0) - (before[name]?.packets ?? 0)]),
    ),
    programs,
    bpfCounted,
  };
}

const readAll = (meters: MachineMeter[]) => Object.fromEntries(meters.map((meter) => [meter.name, meter.read()]));

async function readPrograms(enter: Map<string, string[]>): Promise<ProgramRunTime[]> {
  return (await Promise.all([...enter].map(([node, command]) => readBpfRunTime(node, command)))).flat();
}
