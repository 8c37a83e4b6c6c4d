import { median } from "./statistics.ts";

/** Criteria for using a round. */
export interface Quiet {
  /** Share of the processors' time that others had: the host of a virtual computer, other programs. 0 to 1. */
  takenShare: number;
  failedConnections: number;
}

/** A round with more is set aside, unless most rounds have more. An idle computer has about 0.03. */
export const tolerableShare = 0.1;

export interface Quietest<T> {
  used: T[];
  /** Maximum share of others in the used rounds; on a quiet computer the tolerable one. */
  limit: number;
}

/**
 * The usable rounds; times of the others depend more on the computer than on the dataplane. Of every kind those
 * below the tolerable share, or, if that is fewer than half, the quieter half, which the result reports.
 */
export function quietest<T>(rounds: readonly T[], quietOf: (round: T) => Quiet, kindOf = (_: T) => ""): Quietest<T> {
  const kinds = Map.groupBy(rounds, kindOf);
  const limits = new Map([...kinds].map(([kind, ofKind]) => [kind, takenLimit(ofKind.map(quietOf))]));
  const isUsed = (round: T) => {
    const { failedConnections, takenShare } = quietOf(round);
    return failedConnections === 0 && takenShare <= (limits.get(kindOf(round)) as number);
  };
  return { used: rounds.filter(isUsed), limit: Math.max(tolerableShare, ...limits.values()) };
}

const takenLimit = (rounds: readonly Quiet[]): number =>
  Math.max(tolerableShare, median(rounds.map(({ takenShare }) => takenShare)));
