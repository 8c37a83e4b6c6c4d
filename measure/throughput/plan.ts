import type { cables, encapsulations } from "../../report/results/throughput.ts";

export type Cable = (typeof cables)[number];
export type Encapsulation = (typeof encapsulations)[number];

/** Parameters of all rounds of a series; paths alternate within it. */
export interface Series {
  readonly cable: Cable;
  readonly encapsulation: Encapsulation;
  /** MTU of the pods' interfaces, bytes. */
  readonly mtu: number;
  readonly streams: number;
  /** Bytes per write. */
  readonly messageBytes: number;
}

export interface Plan {
  readonly series: readonly Series[];
  readonly rounds: number;
  /** Seconds that data flow in a round. */
  readonly seconds: number;
}

export interface PlanOptions {
  readonly quick: boolean;
  readonly vxlan: boolean;
  readonly rounds?: number;
}

/** The two MTUs of the published figures: Ethernet's and a jumbo frame's, minus the tunnel overhead. */
const mtus = [1440, 8940];
const cablesInOrder: readonly Cable[] = ["Offloaded", "Cut"];
const loads = [
  { streams: 1, messageBytes: 256 },
  { streams: 1, messageBytes: 4096 },
  { streams: 1, messageBytes: 65_536 },
  { streams: 4, messageBytes: 65_536 },
];

/** The series and their number of rounds; quick: only the series of the project's goal. */
export function planThroughput({ quick, vxlan, rounds = quick ? 5 : 9 }: PlanOptions): Plan {
  const encapsulation = vxlan ? "Vxlan" : "None";
  const series = (quick ? [1440] : mtus).flatMap((mtu) =>
    cablesInOrder.flatMap((cable) =>
      (quick ? loads.slice(2, 3) : loads).map((load) => ({ cable, encapsulation, mtu, ...load }) as const),
    ),
  );
  return { series, rounds, seconds: 1 };
}

/** Starting and ending qperf, and reading counters, on two cores. */
const roundOverheadSeconds = 0.6;

/** A first estimate, before any round was timed. */
export const expectedSeconds = ({ series, rounds, seconds }: Plan, paths: number): number =>
  series.length * rounds * paths * (seconds + roundOverheadSeconds);
