import { reportCommands } from "./commands.ts";
import type { Measurement, Report } from "./document.ts";
import type { ReportInputs } from "./inputs.ts";
import { loggedOf } from "./logged.ts";
import { notMeasured } from "./not-measured.ts";
import { packetPathsOf } from "./paths.ts";
import { holds } from "./results/verification.ts";
import { seedFigures } from "./seed.ts";

/** Combines the results. Pure: the same inputs give the same report. */
export function buildReport(inputs: ReportInputs): Report {
  const { verification, compare, throughput, scale, writtenAt, isCheckout } = inputs;
  const day = writtenAt.toISOString().slice(0, 10);
  const measured = { verification, compare, throughput, scale };
  const environments = Object.entries(measured).flatMap(([of, result]) => {
    const environment = result?.environment;
    if (!environment) return [];
    return [{ of: of as Measurement, environment, otherDay: environment.measuredAt.slice(0, 10) !== day }];
  });
  return {
    writtenAt: writtenAt.toISOString(),
    verdict: conclusionOf(inputs),
    ...(verification && { holds: holds(verification) && (compare?.expected ?? []).every(({ pass }) => pass) }),
    ways: packetPathsOf(verification, compare),
    logged: loggedOf(verification, compare),
    seed: seedFigures,
    ...defined(measured),
    environments,
    command: reportCommands(isCheckout).report,
    notMeasured: notMeasured(inputs),
  };
}

function conclusionOf({ verification, compare, throughput, scale }: ReportInputs): string {
  const verdict = verification?.verdict ?? compare?.verdict ?? throughput?.verdict ?? scale?.verdict;
  if (!verdict) return "Nothing is known yet: no result was found.";
  return verification ? verdict : `Nothing was verified, but measured: ${verdict}`;
}

function defined<T extends object>(fields: T): T {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as T;
}
