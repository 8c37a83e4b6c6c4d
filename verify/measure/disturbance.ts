import { median } from "./statistics.ts";

/** What tells whether a round may be used. */
export interface Quiet {
  /** Share of the processors' time that others had: the host of a virtual computer, other programs. 0 to 1. */
  takenShare: number;
  failedConnections: number;
}

/** More of it than this sets a round aside, unless nothing better can be had. An idle computer has about 0.03. */
export const tolerableShare = 0.1;

/**
 * The share up to which rounds are used: the tolerable one, or, on a computer where fewer than half of the
 * rounds stay below it, the median, so that the quieter half is used and the result can say so.
 */
export function takenLimit(rounds: readonly Quiet[]): number {
  if (rounds.length === 0) return tolerableShare;
  return Math.max(tolerableShare, median(rounds.map(({ takenShare }) => takenShare)));
}

/** Whether a round is set aside: its times say more about the computer than about the dataplane. */
export function isDisturbed(round: Quiet, limit: number): boolean {
  return round.failedConnections > 0 || round.takenShare > limit;
}
