import type { Logged } from "./document.ts";
import type { Comparison } from "./results/compare.ts";
import type { VerificationResult } from "./results/verification.ts";

/** Sources in the servers' logs, with the log lines. */
export function loggedOf(verification?: VerificationResult, compare?: Comparison): Logged[] {
  return [
    ...(verification ? ofVerification(verification) : []),
    ...(compare ? ofComparison(compare, verification) : []),
  ];
}

function ofVerification({ rows }: VerificationResult): Logged[] {
  const byClient = Map.groupBy(
    rows.filter(({ seen = [] }) => seen.some(({ source }) => source)),
    ({ from }) => from,
  );
  return [...byClient].map(([client, of]) => {
    const seen = of.flatMap((row) => row.seen ?? []).filter(({ source }) => source);
    const sources = distinct(seen.flatMap(({ source }) => source ?? []));
    return {
      client,
      sources,
      lines: distinct(
        of.flatMap(({ evidence = [] }) => evidence.filter((line) => sources.some((source) => line.includes(source)))),
      ),
      own: seen.every(({ source, clientAddress }) => source === clientAddress),
    };
  });
}

function ofComparison({ modes, client }: Comparison, verification?: VerificationResult): Logged[] {
  const addresses = new Map(
    verification?.rows.flatMap(({ from, seen = [] }) =>
      seen.flatMap((facts) => (facts.clientAddress ? [[from, facts.clientAddress] as const] : [])),
    ),
  );
  const known = [...addresses.values()];
  return modes
    .filter(({ loggedSources }) => loggedSources.length > 0)
    .map(({ mode, loggedSources, loggedLines = [] }) => ({
      mode,
      sources: loggedSources,
      lines: loggedLines,
      ...(addresses.has(client) && { own: loggedSources.every((source) => known.includes(source)) }),
    }));
}

const distinct = (values: string[]): string[] => [...new Set(values)];
