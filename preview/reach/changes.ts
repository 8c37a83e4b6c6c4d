import type { ReachRow } from "./table.ts";

/** A pair whose verdict changed. */
export interface ReachChange {
  from: string;
  to: string;
  /** Absent: the pair did not exist. */
  before?: ReachRow["verdict"];
  /** Absent: the pair is no longer declared. */
  after?: ReachRow["verdict"];
  /** The objects that decide now; of a pair that is gone, those that did. */
  policies: string[];
}

/** The differences between two tables. A new or removed service or client is reported once for each pair that could connect. */
export function changesOf(before: ReachRow[], after: ReachRow[]): ReachChange[] {
  const old = byPair(before);
  const now = byPair(after);
  const changed = after.flatMap((row): ReachChange[] => {
    const was = old.get(pairOf(row));
    if (!was) return [{ from: row.from, to: row.to, after: row.verdict, policies: row.policies }];
    if (was.verdict === row.verdict) return [];
    const policies = row.policies.length > 0 ? row.policies : was.policies;
    return [{ from: row.from, to: row.to, before: was.verdict, after: row.verdict, policies }];
  });
  const gone = before
    .filter((row) => !now.has(pairOf(row)))
    .map(({ from, to, verdict, policies }) => ({ from, to, before: verdict, policies }));
  return [...changed, ...gone];
}

const WORDS: Record<ReachRow["verdict"], { was: string; willBe: string }> = {
  allowed: { was: "was allowed", willBe: "will be allowed" },
  dropped: { was: "was dropped", willBe: "will be dropped" },
  depends: { was: "depended on the pod or its node", willBe: "will depend on the pod or its node" },
  rejected: { was: "was rejected", willBe: "will be rejected" },
  "no way in": { was: "had no way in", willBe: "will have no way in" },
};

/** "client2 → nginx:80 was allowed, will be dropped". */
export function changeInWords({ from, to, before, after }: ReachChange): string {
  const pair = `${from} → ${to}`;
  if (before === undefined) return `${pair} is new, ${WORDS[after ?? "depends"].willBe}`;
  if (after === undefined) return `${pair} ${WORDS[before].was}, is no longer declared`;
  return `${pair} ${WORDS[before].was}, ${WORDS[after].willBe}`;
}

function byPair(rows: ReachRow[]): Map<string, ReachRow> {
  return new Map(rows.map((row) => [pairOf(row), row]));
}

const pairOf = ({ from, to }: Pick<ReachRow, "from" | "to">): string => JSON.stringify([from, to]);
