import { median } from "./statistics.ts";

/** What tells whether a round may be used. */
export interface Quiet {
  /** Share of the processors' time that others had: the host of a virtual computer, other programs. 0 to 1. */
  takenShare: number;
  failedConnections: number;
}

/** More of it than this sets a round aside, unless nothing better can be had. An idle computer has about 0.03. */
export const tolerableShare = 0.1;

export interface Quietest<T> {
  used: T[];
  /** Share that others had in rounds that are used, at most; the tolerable one on a quiet computer. */
  limit: number;
}

/**
 * The rounds that may be used; the others' times say more about the computer than about the dataplane. Of every kind those
 * below the tolerable share, or, where that is fewer than half, the quieter half: then the result says so.
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
