// The verifier budget of each program: budget.json has the figures of its last intended change.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { VerifierCost } from "../../agent/kernel/verifier.fixture.ts";

/** Object → program → its figures, on one kernel. */
export type Costs = Record<string, Record<string, Pick<VerifierCost, "instructions" | "stack">>>;

/** By the kernel's version, as "6.1". */
export type Budget = Record<string, Costs>;

const file = join(import.meta.dirname, "budget.json");
/** Tolerance for the verifier's instructions; a new Clang version changes them a little. */
const HEADROOM = 1.05;
/** Bytes, of 512: 96 stay free, since a program at the limit cannot grow. */
export const STACK_LIMIT = 416;

export function readBudget(): Budget {
  return JSON.parse(readFileSync(file, "utf8"));
}

/** Replaces the figures of one kernel. */
export function writeBudget(version: string, costs: Costs): void {
  const figures = Object.entries(costs).map(([object, programs]) => [
    object,
    Object.fromEntries(
      Object.entries(programs).map(([name, { instructions, stack }]) => [name, { instructions, stack }]),
    ),
  ]);
  const budget = { ...readBudget(), [version]: Object.fromEntries(figures) };
  writeFileSync(file, `${JSON.stringify(budget, null, 2)}\n`);
}

/** How to renew the budget. */
export const renewal =
  "If this is intended: RENEW_BUDGET=1 npx vitest run --project system test/kernels, and commit test/kernels/budget.json.";

/** "6.1" of "6.1.0-48-amd64". */
export const versionOf = (release: string): string => /^\d+\.\d+/.exec(release)?.[0] ?? release;

/** @returns a sentence for each program that exceeds the budget or is missing in it */
export function overBudget(costs: Costs, budget: Costs): string[] {
  return Object.entries(costs).flatMap(([object, programs]) =>
    Object.entries(programs).flatMap(([name, { instructions, stack }]) => {
      const allowed = budget[object]?.[name];
      const program = `${name} of ${object}.bpf.o`;
      if (!allowed) return [`${program} is not in the budget`];
      const most = Math.floor(allowed.instructions * HEADROOM);
      return [
        ...(instructions > most
          ? [
              `${program} costs the verifier ${instructions} instructions; the budget is ${most} (${allowed.instructions} and 5 %)`,
            ]
          : []),
        ...(stack > STACK_LIMIT
          ? [`${program} takes ${stack} bytes of stack; at most ${STACK_LIMIT} are allowed`]
          : []),
      ];
    }),
  );
}
