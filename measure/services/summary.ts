// From rounds to results: undisturbed rounds, medians with intervals, ratios, one sentence.

import type { Ratio } from "../../report/results/figures.ts";
import type { Scale } from "../../report/results/scale.ts";
import { quietest } from "../statistics/disturbance.ts";
import { bootstrap, differenceOf, median, pairedRatio } from "../statistics/statistics.ts";
import type { ConnectionRound } from "./connections.ts";
import type { Measured } from "./measure.ts";

/** Fewer pairs of rounds than this are not significant, regardless of their interval. */
const leastRounds = 5;

const quietness = ({ takenShare, failed }: ConnectionRound) => ({ takenShare, failedConnections: failed });
/** The rounds without disturbance. */
export const usable = ({ rounds }: Measured): ConnectionRound[] => quietest(rounds, quietness).used;

export function summarize(measured: readonly Measured[]): Pick<Scale, "points" | "ratios" | "verdict"> {
  const points = measured.flatMap(pointOf);
  const ratios = measured.flatMap((one) => ratiosOf(one, measured));
  return { points, ratios, verdict: conclusionOf(measured, ratios) };
}

function pointOf(one: Measured) {
  const { mode, services, rounds, loadSeconds, programmingSeconds } = one;
  const used = usable(one);
  if (used.length === 0) return [];
  const medians = used.map(({ medianUs }) => medianUs);
  return {
    mode,
    services,
    medianUs: bootstrap(medians, median),
    programmingSeconds: median(programmingSeconds),
    loadSeconds,
    rounds: used.length,
    disturbedRounds: rounds.length - used.length,
  };
}

/** Ours beside kube-proxy at the same number of services, and every mode beside itself with the fewest. */
function ratiosOf(one: Measured, measured: readonly Measured[]): Ratio[] {
  const first = measured.find(({ mode }) => mode === one.mode) as Measured;
  const others = measured.filter(({ mode, services }) => mode !== "Ebpf" && services === one.services);
  const baselines = [...(one.mode === "Ebpf" ? others : []), ...(first === one ? [] : [first])];
  return baselines.flatMap((to) => ratioOf(one, to));
}

function ratioOf(of: Measured, to: Measured): Ratio[] {
  const used = new Set([...usable(of), ...usable(to)]);
  const pairs = of.rounds.flatMap((round, index) => {
    const baseline = to.rounds[index];
    return baseline && used.has(round) && used.has(baseline) ? [{ of: round.medianUs, to: baseline.medianUs }] : [];
  });
  if (pairs.length === 0) return [];
  const ratio = pairedRatio(pairs);
  const difference = pairs.length < leastRounds ? "no difference" : differenceOf(ratio);
  return [{ of: nameOf(of), to: nameOf(to), quantity: "medianUs", ratio, difference }];
}

const nameOf = ({ mode, services }: Measured): string => `${mode} with ${services} services`;

/** How each mode grew from the fewest to the most services. */
function conclusionOf(measured: readonly Measured[], ratios: readonly Ratio[]): string {
  const last = Math.max(...measured.map(({ services }) => services));
  const said = measured
    .filter(({ services }) => services === last)
    .flatMap((one) => {
      const grown = ratios.find(({ of, to }) => of === nameOf(one) && to.startsWith(`${one.mode} `));
      if (!grown) return [];
      const { value, low, high } = grown.ratio;
      const figure = `${value.toFixed(2)}× (${low.toFixed(2)} to ${high.toFixed(2)})`;
      return `${one.mode} ${grown.difference === "no difference" ? `shows no difference, ${figure}` : figure}`;
    });
  if (said.length === 0) return "There is only one number of services: growth cannot be measured.";
  return `A new connection with ${last} services against the fewest: ${said.join("; ")}.`;
}
