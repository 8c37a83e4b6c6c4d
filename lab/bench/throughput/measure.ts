import type { throughputPaths } from "../../../report/results/throughput.ts";
import { balancedOrder } from "../../../verify/measure/order.ts";
import {
  ownProcessSeconds,
  processorTimeBetween,
  readProcessorTime,
  takenShare,
} from "../../../verify/measure/processor-time.ts";
import type { Countdown } from "../countdown.ts";
import { machineCpuSeconds, ownCpuSeconds } from "../cpu-time.ts";
import { setPodMtu } from "../ground/bench-pod.ts";
import type { GroundMachine, RunningProgram } from "../ground/ground-machine.ts";
import { cableDevice, type Ground, type Pair } from "./ground.ts";
import type { Cable, Plan, Series } from "./plan.ts";
import { type End, sendStreams, startServers } from "./qperf.ts";

export type Path = (typeof throughputPaths)[number];

/** One path in one round. */
export interface Sample {
  readonly path: Path;
  readonly round: number;
  readonly gbitPerSecond: number;
  readonly cpuSecondsPerGbit: number;
  readonly ownCpuSecondsPerGbit: number;
  readonly takenShare: number;
}

export interface MeasuredSeries {
  readonly series: Series;
  readonly samples: readonly Sample[];
}

export const allPaths: readonly Path[] = ["Linux", "Ebpf", "Floor"];

/** Measures series by series; within one, the paths alternate round by round. */
export async function measureThroughput(plan: Plan, ground: Ground, countdown: Countdown): Promise<MeasuredSeries[]> {
  const results: MeasuredSeries[] = [];
  for (const series of plan.series) {
    await prepare(series, ground);
    const servers = await listening(series, ground);
    const samples: Sample[] = [];
    const order = balancedOrder(allPaths, plan.rounds, results.length + 1);
    for (const [round, paths] of order.entries())
      for (const path of paths) {
        samples.push({ path, round, ...(await measure(ends(ground, path), series, plan.seconds)) });
        countdown.step(`${titleOf(series)}, round ${round + 1} of ${plan.rounds}`);
      }
    for (const server of servers) await server.stop("SIGKILL");
    results.push({ series, samples });
  }
  return results;
}

export const titleOf = ({ mtu, cable, streams, messageBytes }: Series): string =>
  `MTU ${mtu}, cable ${cable.toLowerCase()}, ${streams} ${streams === 1 ? "stream" : "streams"}, ${messageBytes} bytes a write`;

function ends(ground: Ground, path: Path): readonly [End, End] {
  if (path === "Floor") return ground.Floor;
  const end = ({ machine, address, name }: Pair["sender"]) => ({ machine, address, namespace: name });
  return [end(ground[path].sender), end(ground[path].receiver)];
}

async function prepare({ cable, mtu }: Series, ground: Ground): Promise<void> {
  for (const machine of ground.machines) await setCable(machine, cable);
  for (const { sender, receiver } of [ground.Linux, ground.Ebpf])
    for (const pod of [sender, receiver]) await setPodMtu(pod, mtu);
  for (const { machine } of ground.Floor) await machine.run(["ip", "link", "set", cableDevice, "mtu", String(mtu)]);
}

/** Without segmentation offload the sending machine hands packets of the MTU to the cable. */
async function setCable(machine: GroundMachine, cable: Cable): Promise<void> {
  const state = cable === "Cut" ? "off" : "on";
  await machine.run(["ethtool", "--offload", cableDevice, "tso", state, "gso", state]);
}

async function listening({ streams }: Series, ground: Ground): Promise<RunningProgram[]> {
  const servers = allPaths.flatMap((path) => startServers(ends(ground, path)[1], streams));
  // qperf's clients try again for five seconds while nobody listens, but that would count as the round's time.
  await new Promise((resolve) => setTimeout(resolve, 500));
  return servers;
}

async function measure([from, to]: readonly [End, End], series: Series, seconds: number) {
  const machines = [from.machine, to.machine];
  const charged = () => machineCpuSeconds(machines) + ownProcessSeconds();
  const before = { all: readProcessorTime(), own: ownCpuSeconds(machines), charged: charged() };
  const gbit = (await sendStreams(from, to, { ...series, seconds })) / 1e9;
  const spent = processorTimeBetween(before.all, readProcessorTime());
  return {
    gbitPerSecond: gbit / seconds,
    cpuSecondsPerGbit: spent.busy / gbit,
    ownCpuSecondsPerGbit: (ownCpuSeconds(machines) - before.own) / gbit,
    takenShare: takenShare(spent, charged() - before.charged),
  };
}
