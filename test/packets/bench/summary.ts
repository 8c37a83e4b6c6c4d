import Table from "cli-table3";
import { bootstrap, differenceOf, median, pairedRatio } from "../../../measure/statistics/statistics.ts";
import type { Environment } from "../../../report/results/environment.ts";
import type { Estimate } from "../../../report/results/figures.ts";
import type { Batch } from "./inside.ts";

/** One kind in one round. */
export interface Pair {
  readonly say: string;
  readonly round: number;
  readonly now: Batch;
  readonly before: Batch;
}

/** ns for a packet: medians over rounds; the ratio over pairs. */
export interface Compared {
  readonly before: Estimate;
  readonly now: Estimate;
  readonly ratio: Estimate;
  readonly difference: ReturnType<typeof differenceOf>;
}

export interface KindResult {
  readonly say: string;
  /** The outcome, and the other version's if it differs. */
  readonly outcome: string;
  readonly outcomeBefore?: string;
  /** With a system call each, and in a loop in the kernel (not for packets whose length changes). */
  readonly single: Compared;
  readonly inARow?: Compared;
}

export interface PacketCosts {
  readonly environment: Environment;
  readonly against: string;
  readonly kinds: readonly KindResult[];
}

export function summarize(pairs: readonly Pair[]): KindResult[] {
  return [...Map.groupBy(pairs, ({ say }) => say)].map(([say, ofKind]) => {
    const [first] = ofKind as [Pair];
    const [outcome, outcomeBefore] = [first.now, first.before].map(({ became }) => became.split(/[ :,]/)[0] ?? "");
    const inARow = ofKind.flatMap(({ now, before }) =>
      now.inARow !== undefined && before.inARow !== undefined ? [{ now: now.inARow, before: before.inARow }] : [],
    );
    return {
      ...{ say, outcome: outcome ?? "" },
      ...(outcome !== outcomeBefore && outcomeBefore && { outcomeBefore }),
      single: compared(ofKind.map(({ now, before }) => ({ now: now.single, before: before.single }))),
      ...(inARow.length > 0 && { inARow: compared(inARow) }),
    };
  });
}

function compared(rounds: readonly { now: number; before: number }[]): Compared {
  const figure = (of: "now" | "before") =>
    bootstrap(
      rounds.map((round) => round[of]),
      median,
    );
  const ratio = pairedRatio(rounds.map(({ now, before }) => ({ of: now, to: before })));
  return { before: figure("before"), now: figure("now"), ratio, difference: differenceOf(ratio) };
}

export function tableOf({ against, kinds }: PacketCosts): string {
  const table = new Table({
    head: ["packet", "becomes", "in a row", `at ${against}`, "ratio", "single", `at ${against}`, "ratio"],
    style: { head: [], border: [] },
  });
  for (const { say, outcome, outcomeBefore, single, inARow } of kinds)
    table.push([
      say,
      outcomeBefore ? `${outcome} (before: ${outcomeBefore})` : outcome,
      ...cells(inARow),
      ...cells(single),
    ]);
  return `${table}\nns for a packet, median of rounds (95 % interval)`;
}

function cells(of: Compared | undefined): string[] {
  return of
    ? [ns(of.now), ns(of.before), `${times(of.ratio)}${of.difference === "no difference" ? " no difference" : ""}`]
    : ["", "", ""];
}

const ns = ({ value, low, high }: Estimate) => `${value.toFixed(0)} (${low.toFixed(0)}-${high.toFixed(0)})`;
const times = ({ value, low, high }: Estimate) => `${value.toFixed(2)}× (${low.toFixed(2)}-${high.toFixed(2)})`;
