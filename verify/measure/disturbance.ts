import { median } from "./statistics.ts";

/** What tells whether a round may be used. */
export interface Quiet {
  /** Share of the processors' time that the host took away, 0 to 1. */
  stealShare: number;
  failedConnections: number;
}

/** More stolen time than this sets a round aside, unless nothing better can be had. */
const tolerableSteal = 0.05;

/**
 * The share of stolen time up to which rounds are used: the tolerable one, or, on a computer where fewer than half of the
 * rounds stay below it, the median, so that the quieter half is used and the result can say so.
 */
export function stealLimit(rounds: readonly Quiet[]): number {
  if (rounds.length === 0) return tolerableSteal;
  return Math.max(tolerableSteal, median(rounds.map(({ stealShare }) => stealShare)));
}

/** Whether a round is set aside: its times say more about the computer than about the dataplane. */
export function isDisturbed(round: Quiet, limit: number): boolean {
  return round.failedConnections > 0 || round.stealShare > limit;
}
