import { Counter, type Registry } from "prom-client";
import type { PolicyNames } from "../compile/desired.ts";
import { directionNames, PolicyVerdict, policyVerdictNames } from "../kernel/layout.gen.ts";
import type { VerdictTotals } from "../kernel/verdicts.ts";
import { ruleName } from "./inspect/words.ts";

/** The most sets of labels; all others are added up under one. The kernel's counters are bounded as well (bpf/maps/events.h). */
const MOST_SERIES = 500;
const MOST_CHARACTERS = 200;
export const OTHER_POLICIES = "other policies";

interface Labels {
  readonly policy: string;
  readonly direction: string;
  readonly verdict: string;
}

/** One counter for each policy, direction and verdict: denials are counted by rule, allowed flows under the policies that together allow
 * them. */
export function policyVerdictCounter(
  verdicts: () => VerdictTotals,
  names: () => PolicyNames,
  prefix: string,
  registers: Registry[],
): void {
  new Counter({
    name: `${prefix}policy_verdicts_total`,
    help:
      "Flows that policies judged: connections that opened or were judged again, and refused packets. `policy`: of a denial the tier, " +
      "policy and rule, or the default that ended it; otherwise the policies of the workload. At most 500 series; a counter that was " +
      "not used for long may begin again.",
    labelNames: ["policy", "direction", "verdict"],
    registers,
    collect() {
      this.reset();
      for (const [labels, flows] of bySeries(verdicts(), names())) this.inc({ ...labels }, flows);
    },
  });
}

/** The most used sets of labels, under their names. */
export function bySeries(
  verdicts: VerdictTotals,
  names: PolicyNames,
  most = MOST_SERIES,
): (readonly [Labels, number])[] {
  const sums = new Map<string, [Labels, number]>();
  const add = (labels: Labels, flows: number) => {
    const id = JSON.stringify(labels);
    const known = sums.get(id);
    if (known) known[1] += flows;
    else sums.set(id, [labels, flows]);
  };
  for (const [{ policy, rule, direction, verdict }, flows] of verdicts) {
    const name = verdict === PolicyVerdict.DENY ? ruleName(policy, direction, rule, names) : names.policies.get(policy);
    // Counters of an earlier agent, whose names are not known, show nothing that a reader could use.
    const text = name === undefined || /^rule \d+$/.test(name) ? OTHER_POLICIES : shortened(name);
    add({ policy: text, ...wordsOf(direction, verdict) }, flows);
  }
  const sorted = [...sums.values()].sort(([, a], [, b]) => b - a);
  sums.clear();
  for (const [labels, flows] of sorted.slice(0, most)) add(labels, flows);
  for (const [labels, flows] of sorted.slice(most)) add({ ...labels, policy: OTHER_POLICIES }, flows);
  return [...sums.values()];
}

function wordsOf(direction: number, verdict: number): Omit<Labels, "policy"> {
  return {
    direction: directionNames.get(direction) ?? String(direction),
    verdict: policyVerdictNames.get(verdict) ?? String(verdict),
  };
}

function shortened(name: string): string {
  return name.length > MOST_CHARACTERS ? `${name.slice(0, MOST_CHARACTERS - 1)}…` : name;
}
