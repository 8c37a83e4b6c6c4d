import type { throughputPaths } from "../../report/results/throughput.ts";
import type { Countdown } from "../countdown.ts";
import { ownProcessSeconds, processorTimeBetween, readProcessorTime, takenShare } from "../counters/processor-time.ts";
import { machineCpuSeconds, ownCpuSeconds } from "../cpu-time.ts";
import { balancedOrder } from "../statistics/order.ts";
import type { RunningProgram, TestbedMachine } from "../testbed/testbed-machine.ts";
import type { Cable, Plan, Series } from "./plan.ts";
import { type End, sendStreams, startServers } from "./qperf.ts";
import { cableDevice, type Pair, type Testbed } from "./testbed.ts";

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
export async function measureThroughput(plan: Plan, testbed: Testbed, countdown: Countdown): Promise<MeasuredSeries[]> {
  const results: MeasuredSeries[] = [];
  for (const series of plan.series) {
    await prepare(series, testbed);
    const servers = await listening(series, testbed);
    const samples: Sample[] = [];
    const order = balancedOrder(allPaths, plan.rounds, results.length + 1);
    for (const [round, paths] of order.entries())
      for (const path of paths) {
        samples.push({ path, round, ...(await measure(ends(testbed, path), series, plan.seconds)) });
        countdown.step(`${titleOf(series)}, round ${round + 1} of ${plan.rounds}`);
      }
    for (const server of servers) await server.stop("SIGKILL");
    results.push({ series, samples });
  }
  return results;
}

export const titleOf = ({ mtu, cable, streams, messageBytes }: Series): string =>
  `MTU ${mtu}, cable ${cable.toLowerCase()}, ${streams} ${streams === 1 ? "stream" : "streams"}, ${messageBytes} bytes a write`;

function ends(testbed: Testbed, path: Path): readonly [End, End] {
  if (path === "Floor") return testbed.Floor;
  const end = ({ machine, address, name }: Pair["sender"]) => ({ machine, address, namespace: name });
  return [end(testbed[path].sender), end(testbed[path].receiver)];
}

async function prepare({ cable, mtu }: Series, testbed: Testbed): Promise<void> {
  for (const machine of testbed.machines) await setCable(machine, cable);
  await testbed.setMtu(mtu);
  for (const { machine } of testbed.Floor) await machine.run(["ip", "link", "set", cableDevice, "mtu", String(mtu)]);
}

/** Without segmentation offload the sending machine hands packets of the MTU to the cable. */
async function setCable(machine: TestbedMachine, cable: Cable): Promise<void> {
  const state = cable === "Cut" ? "off" : "on";
  await machine.run(["ethtool", "--offload", cableDevice, "tso", state, "gso", state]);
}

async function listening({ streams }: Series, testbed: Testbed): Promise<RunningProgram[]> {
  const servers = allPaths.flatMap((path) => startServers(ends(testbed, path)[1], streams));
  // qperf's clients try again for five seconds while nothing listens, but that would count as the round's time.
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
