import Table from "cli-table3";
import type { Outcome, Spec } from "./outcome.ts";

/** When, where and how a run was made. */
export interface Occasion {
  begunAt: string;
  endedAt: string;
  /** Release of the API server. */
  kubernetes: string;
  kernel: string;
  nodes: number;
  /** Of the checkout; undefined: it is none. */
  commit: string | undefined;
  /** Specs that ran at a time. */
  processes: number;
  /** Why the run ended before its last spec. */
  endedEarly?: string;
}

/** What a person wants to know of a run: which specs failed and why, what was not run and why, and the counts by area. */
export function summaryOf(outcome: Outcome, occasion: Occasion): string {
  const { specs, leftOut, selected = 0 } = outcome;
  const [failed, skipped] = (["failed", "skipped"] as const).map((word) => specs.filter(({ state }) => state === word));
  const reasons = Map.groupBy(skipped ?? [], ({ reason = "" }) => reason);
  const missing = selected - specs.length;
  const { begunAt, endedAt, kubernetes, kernel, nodes, commit, processes, endedEarly } = occasion;
  return [
    ...(failed ?? []).map(({ name, seconds, reason }) => `FAIL ${name} (${inWords(seconds)})\n     ${reason}`),
    ...[...reasons].map(([why, those]) => `SKIP ${those.map(({ name }) => name).join("; ")}: ${why}`),
    ...leftOut.map(({ why, count }) => `LEFT OUT ${counted(count, "spec")}: ${why}`),
    tableOf(specs),
    `${countsOf(specs)}${missing > 0 ? `, ${missing} not run` : ""} in ${inWords(secondsBetween(begunAt, endedAt))}, ${processes} at a time`,
    ...(endedEarly === undefined ? [] : [`The run is not complete: ${endedEarly}.`]),
    `${endedAt}, Kubernetes ${kubernetes}, ${counted(nodes, "node")}, Linux ${kernel}${commit ? `, ebpf-dataplane at ${commit}` : ""}`,
    "",
  ].join("\n");
}

function tableOf(specs: Spec[]): string {
  const table = new Table({
    head: ["area", "passed", "failed", "skipped", "time of its specs"],
    style: { head: [], border: [] },
    colAligns: ["left", "right", "right", "right", "right"],
    chars: { mid: "", "left-mid": "", "mid-mid": "", "right-mid": "" },
  });
  const number = (those: Spec[], word: Spec["state"]) => those.filter(({ state }) => state === word).length || "";
  const row = (area: string, those: Spec[]) => [
    area,
    ...(["passed", "failed", "skipped"] as const).map((word) => number(those, word)),
    inWords(those.reduce((sum, { seconds }) => sum + seconds, 0)),
  ];
  const areas = [...Map.groupBy(specs, ({ area }) => area)].sort(([one], [other]) => (one < other ? -1 : 1));
  table.push(...areas.map(([area, those]) => row(area, those)), row("all", specs));
  return table.toString();
}

/** `183 passed, 2 failed, 9 skipped`. */
function countsOf(specs: Spec[]): string {
  return (["passed", "failed", "skipped"] as const)
    .map((word) => `${specs.filter(({ state }) => state === word).length} ${word}`)
    .join(", ");
}

const secondsBetween = (begun: string, ended: string): number => (Date.parse(ended) - Date.parse(begun)) / 1000;

const counted = (count: number, word: string): string => `${count} ${word}${count === 1 ? "" : "s"}`;

/** `42 s`, `64 min`. */
export function inWords(seconds: number): string {
  return seconds < 120 ? `${Math.round(seconds)} s` : `${Math.round(seconds / 60)} min`;
}
