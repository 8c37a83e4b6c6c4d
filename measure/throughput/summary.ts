// From samples to results: undisturbed rounds, medians with intervals, ratios, one sentence.

import type { Ratio } from "../../report/results/figures.ts";
import type { Throughput } from "../../report/results/throughput.ts";
import { quietest } from "../statistics/disturbance.ts";
import { bootstrap, differenceOf, median, pairedRatio } from "../statistics/statistics.ts";
import { allPaths, type MeasuredSeries, type Path, type Sample, titleOf } from "./measure.ts";

const quantities = ["gbitPerSecond", "cpuSecondsPerGbit", "ownCpuSecondsPerGbit"] as const;
type Quantity = (typeof quantities)[number];

/** Fewer pairs of rounds than this are not significant, regardless of their interval. */
const leastRounds = 5;

export function summarize(measured: readonly MeasuredSeries[]): Pick<Throughput, "runs" | "ratios" | "verdict"> {
  const judged = measured.map((one) => ({ ...one, quiet: usable(one.samples) }));
  const runs = judged.flatMap(({ series, samples, quiet }) => {
    return allPaths.flatMap((path) => {
      const ofPath = (all: readonly Sample[]) => all.filter((sample) => sample.path === path);
      const used = ofPath(quiet);
      if (used.length === 0) return [];
      const estimate = (quantity: Quantity) =>
        bootstrap(
          used.map((sample) => sample[quantity]),
          median,
        );
      return {
        path,
        ...series,
        gbitPerSecond: estimate("gbitPerSecond"),
        cpuSecondsPerGbit: estimate("cpuSecondsPerGbit"),
        ownCpuSecondsPerGbit: estimate("ownCpuSecondsPerGbit"),
        rounds: used.length,
        disturbedRounds: ofPath(samples).length - used.length,
      };
    });
  });
  const ratios = judged.flatMap(({ series, quiet }) =>
    quantities.flatMap((quantity) => ratioOf(titleOf(series), quiet, quantity)),
  );
  return { runs, ratios, verdict: conclusionOf(ratios) };
}

const usable = (samples: readonly Sample[]): Sample[] =>
  quietest(
    samples,
    ({ takenShare }) => ({ takenShare, failedConnections: 0 }),
    ({ path }) => path,
  ).used;

/** eBPF to Linux, from rounds in which neither was disturbed. */
function ratioOf(title: string, samples: readonly Sample[], quantity: Quantity): Ratio[] {
  const at = (path: Path, round: number) => samples.find((one) => one.path === path && one.round === round);
  const pairs = samples.flatMap((one) => {
    const baseline = one.path === "Ebpf" ? at("Linux", one.round) : undefined;
    return baseline ? [{ of: one[quantity], to: baseline[quantity] }] : [];
  });
  if (pairs.length === 0) return [];
  const ratio = pairedRatio(pairs);
  const difference = pairs.length < leastRounds ? "no difference" : differenceOf(ratio);
  return [{ of: `Ebpf, ${title}`, to: `Linux, ${title}`, quantity, ratio, difference }];
}

/** The project's goal: large writes on one stream at an MTU of 1440. */
const decisive = /^Ebpf, MTU 1440, cable (\w+), 1 stream, 65536 /;

export function conclusionOf(ratios: readonly Ratio[]): string {
  const sentences = ratios
    .filter(({ of, quantity }) => decisive.test(of) && quantity === "ownCpuSecondsPerGbit")
    .map(({ of, ratio, difference }) => {
      const cable = decisive.exec(of)?.[1];
      const said = `${ratio.value.toFixed(2)}× (${ratio.low.toFixed(2)} to ${ratio.high.toFixed(2)})`;
      return difference === "no difference"
        ? `${cable}: no difference in CPU time per Gbit, ${said}`
        : `${cable}: ${said} the CPU time per Gbit`;
    });
  if (sentences.length === 0) return "Nothing was measured for the project's goal.";
  return `eBPF against the standard Linux path at an MTU of 1440, by cable: ${sentences.join("; ")}.`;
}
