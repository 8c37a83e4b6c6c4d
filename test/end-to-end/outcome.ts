// What the suite writes while it runs (tools/end-to-end/progress.go), and what it means.
import type { LeftOut } from "./left-out.ts";

/** A spec that ended. */
export interface Spec {
  /** The part of the suite, without its SIG and what it is marked as: "Services". */
  area: string;
  name: string;
  /** skipped: by itself. Any other word of ginkgo's (failed, timedout, panicked, interrupted) is a failure. */
  state: "passed" | "failed" | "skipped";
  seconds: number;
  /** Why it failed or skipped itself. */
  reason?: string;
}

export interface Outcome {
  /** How many specs were to run. Undefined: the suite did not begin. */
  selected?: number;
  specs: Spec[];
  /** Specs that the focus has and the run has not, by the reason. */
  leftOut: { why: string; count: number }[];
}

interface Line {
  selected?: number;
  area?: string;
  name?: string;
  state?: string;
  reason?: string;
  seconds?: number;
}

/**
 * @param text lines of JSON; the last one may be incomplete
 * @param focus regular expression over names
 */
export function readOutcome(text: string, focus: string, leftOut: LeftOut[]): Outcome {
  const lines = text
    .split("\n")
    .slice(0, -1)
    .map((line) => JSON.parse(line) as Line);
  const selected = lines.find((line) => line.selected !== undefined)?.selected;
  const ended = lines.filter(({ name }) => name !== undefined);
  // Those that ran when the run was ended show nothing.
  const isCutOff = ({ state }: Line) => state === "interrupted" || state === "aborted";
  const isLeftOut = ({ state, reason }: Line) => state === "skipped" && !reason;
  const focused = new RegExp(focus);
  const notRun = new Set(ended.filter(isLeftOut).flatMap(({ name = "" }) => (focused.test(name) ? [name] : [])));
  return {
    ...(selected !== undefined && { selected }),
    specs: ended.filter((line) => !isLeftOut(line) && !isCutOff(line)).map(specOf),
    leftOut: leftOut.flatMap(({ pattern, why }) => {
      const those = [...notRun].filter((name) => new RegExp(pattern).test(name));
      for (const name of those) notRun.delete(name); // a spec counts for the first reason that it has
      return those.length > 0 ? [{ why, count: those.length }] : [];
    }),
  };
}

function specOf({ area = "", name = "", state, reason, seconds = 0 }: Line): Spec {
  const outcome = state === "passed" || state === "skipped" ? state : "failed";
  const [first] = reason?.split("\n").filter((line) => line.trim() !== "") ?? [];
  const said = state === "passed" || state === "failed" || state === "skipped" ? first : `${state}: ${first}`;
  return {
    area: withoutSig(area).replaceAll(/ \[[^\]]*\]/g, ""),
    name: withoutSig(name),
    state: outcome,
    seconds: Math.round(seconds * 10) / 10,
    ...(outcome !== "passed" && { reason: said ?? "" }),
  };
}

const withoutSig = (name: string): string => name.replace(/^\[sig-network\] /, "");

/** Every selected spec has ended, and none of them failed. */
export function holds({ selected, specs }: Outcome): boolean {
  return selected !== undefined && specs.length === selected && specs.every(({ state }) => state !== "failed");
}
