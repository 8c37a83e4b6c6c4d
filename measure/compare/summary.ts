import type { ComparedMode, ComparedModeResult } from "../../report/results/compare.ts";
import type { Estimate, Ratio } from "../../report/results/figures.ts";
import { type Quietest, quietest } from "../statistics/disturbance.ts";
import { bootstrap, differenceOf, histogram, mean, median, pairedRatio, quantile } from "../statistics/statistics.ts";
import type { CountedRound, TimedRound } from "./rounds.ts";

/** The figures of a mode's result; the rest are observations. */
export type ModeFigures = Omit<
  ComparedModeResult,
  | "mode"
  | "served"
  | "servedWithoutPolicy"
  | "loggedSources"
  | "loggedLines"
  | "replyPath"
  | "overIpv6"
  | "keptRequests"
  | "problem"
>;

const rounded = (value: number, digits = 1): number => Number(value.toFixed(digits));
const sum = (values: number[]): number => values.reduce((total, value) => total + value, 0);

/** Rounds that may be used, and the share of the processors' time that others had in them. */
export const undisturbed = (rounds: readonly TimedRound[]): Quietest<TimedRound> =>
  quietest(
    rounds.filter(({ microseconds }) => microseconds.length > 0),
    (round) => round,
    ({ mode }) => mode,
  );

/** What connections and requests have in common. Without rounds all are 0. */
function timesOf(rounds: TimedRound[], used: TimedRound[], seed: number) {
  const times = used.flatMap(({ microseconds }) => microseconds);
  const at = (share: number): number => (times.length > 0 ? rounded(quantile(times, share)) : 0);
  const medians = used.map(({ microseconds }) => median(microseconds));
  return {
    ...{ medianUs: at(0.5), p10Us: at(0.1), p90Us: at(0.9), p99Us: at(0.99) },
    medianSpreadUs: estimate(medians, seed),
    rounds: used.length,
    disturbedRounds: rounds.length - used.length,
  };
}

/** Figures of one mode. @param rounds all of the mode's; @param used those of them that may be used */
export function figuresOf(
  rounds: TimedRound[],
  used: TimedRound[],
  counted: CountedRound[],
  seed: number,
): ModeFigures {
  const times = used.flatMap(({ microseconds }) => microseconds);
  const perConnection = (of: (round: TimedRound) => number): number =>
    rounded(sum(used.map(of)) / Math.max(1, times.length), 2);
  const instructions = used.every((round) => round.instructions !== undefined) && used.length > 0;
  return {
    connections: times.length,
    meanUs: times.length > 0 ? rounded(mean(times)) : 0,
    ...timesOf(rounds, used, seed),
    cpuSeconds: rounded(sum(used.map(({ processor }) => processor.busy)), 2),
    cpuUsPerConnection: estimate(used.map(cpuUsPerConnection), seed),
    softirqUsPerConnection: perConnection(({ processor }) => 1e6 * processor.softirq),
    processUsPerConnection: byName(
      used.flatMap(({ processNs }) => Object.keys(processNs)),
      (name) => perConnection(({ processNs }) => (processNs[name] ?? 0) / 1000),
    ),
    bpfNsPerConnection: byName(
      programsOf(counted).map(({ node }) => node),
      (name) =>
        perCounted(counted, ({ programs }) =>
          sum(programs.filter(({ node }) => node === name).map(({ nanoseconds }) => nanoseconds)),
        ),
    ),
    bpfProgramNsPerConnection: byName(programsOf(counted).map(programName), (name) =>
      perCounted(counted, ({ programs }) =>
        sum(programs.filter((one) => programName(one) === name).map(({ nanoseconds }) => nanoseconds)),
      ),
    ),
    ...(instructions && { instructionsPerConnection: perConnection((round) => round.instructions ?? 0) }),
    packetsPerConnection: byName(
      counted.flatMap(({ packets }) => Object.keys(packets)),
      (name) => perCounted(counted, ({ packets }) => packets[name] ?? 0),
    ),
    histogramUs: histogram(times),
  };
}

/** Figures of requests on kept connections, of one mode. */
export function requestFigures(
  rounds: TimedRound[],
  used: TimedRound[],
  seed: number,
): NonNullable<ComparedModeResult["keptRequests"]> {
  return {
    requests: sum(used.map(({ microseconds }) => microseconds.length)),
    ...timesOf(rounds, used, seed),
    processUsPerRequest: estimate(used.map(processUsPerEach), seed),
  };
}

const programName = ({ node, program }: { node: string; program: string }): string => `${node}/${program}`;

/** Programs of rounds in which the kernel counted. */
const programsOf = (counted: CountedRound[]) =>
  counted.filter(({ bpfCounted }) => bpfCounted).flatMap(({ programs }) => programs);

const perCounted = (counted: CountedRound[], of: (round: CountedRound) => number): number =>
  rounded(sum(counted.map(of)) / Math.max(1, sum(counted.map(({ connections }) => connections))), 2);

const byName = (names: string[], value: (name: string) => number): Record<string, number> =>
  Object.fromEntries([...new Set(names)].map((name) => [name, value(name)]));

/** Without rounds there is nothing to estimate; the mode's `problem` has the reason. */
function estimate(values: number[], seed: number): Estimate {
  if (values.length === 0) return { value: 0, low: 0, high: 0 };
  const { value, low, high } = bootstrap(values, median, seed);
  return { value: rounded(value), low: rounded(low), high: rounded(high) };
}

const cpuUsPerConnection = ({ processor, microseconds }: TimedRound): number =>
  (1e6 * processor.busy) / microseconds.length;

/** Processor time of the processes of all machines, which is counted exactly, unlike that of the computer (in ticks). */
const processUsPerEach = ({ processNs, microseconds }: TimedRound): number =>
  sum(Object.values(processNs)) / 1000 / microseconds.length;

type Quantities = Readonly<Record<string, (round: TimedRound) => number>>;

const ofConnections: Quantities = {
  medianUs: ({ microseconds }) => median(microseconds),
  p10Us: ({ microseconds }) => quantile(microseconds, 0.1),
  meanUs: ({ microseconds }) => mean(microseconds),
  processUsPerConnection: processUsPerEach,
  cpuUsPerConnection,
};

export const ofRequests: Quantities = {
  requestUs: ({ microseconds }) => median(microseconds),
  processUsPerRequest: processUsPerEach,
};

/** Pairs of modes for ratios: every service mode to kube-proxy's, and DSR to the tunnel. */
export function ratiosOf(
  used: TimedRound[],
  modes: ComparedMode[],
  seed: number,
  quantities: Quantities = ofConnections,
): Ratio[] {
  const baselines = modes.filter((mode) => mode.startsWith("KubeProxy") || mode === "EbpfTunnel");
  const pairs = baselines.flatMap((to) =>
    modes
      .filter((of) => of !== to && (to !== "EbpfTunnel" || of === "EbpfDsr" || of === "Direct"))
      .filter((of) => !(of === "KubeProxyIptables" && to === "KubeProxyNftables"))
      .map((of) => ({ of, to })),
  );
  return pairs.flatMap(({ of, to }) =>
    Object.entries(quantities).flatMap(([quantity, figure]) => {
      const both = neighbours(used, of, to)
        .map((pair) => ({ of: figure(pair.of), to: figure(pair.to) }))
        .filter((pair) => pair.to > 0);
      if (both.length === 0) return [];
      const { value, low, high } = pairedRatio(both, seed);
      const ratio = { value: rounded(value, 3), low: rounded(low, 3), high: rounded(high, 3) };
      // With one pair there is no spread, so no conclusion.
      const difference = both.length > 1 ? differenceOf(ratio) : ("no difference" as const);
      return [{ of, to, quantity, ratio, difference }];
    }),
  );
}

/** Rounds of two modes that were measured next to each other, where both may be used. */
function neighbours(used: TimedRound[], of: ComparedMode, to: ComparedMode): { of: TimedRound; to: TimedRound }[] {
  const find = (mode: ComparedMode, number: number) =>
    used.find((round) => round.mode === mode && round.number === number);
  return used
    .filter(({ mode }) => mode === of)
    .flatMap((round) => {
      const other = find(to, round.number);
      return other ? [{ of: round, to: other }] : [];
    });
}
