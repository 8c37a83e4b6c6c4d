import type { Mode } from "../../../model/mode/configuration.ts";
import type { PoolUse } from "../../../model/pool/use.ts";
import type { OutcomeTotals } from "../../kernel/outcomes.ts";
import type { Table } from "../../table-fill.ts";
import { wordsOf } from "../outcome-words.ts";
import type { NodeStatus } from "./node-status.ts";

/** What a node's status is read from; each is asked when somebody wants to know. */
export interface StatusSources {
  readonly node: string;
  readonly kernel: string;
  readonly startedAt: Date;
  readonly attach: () => string;
  readonly mode: () => Mode;
  readonly notReady: () => readonly string[];
  /** In ms; undefined: no round has succeeded yet. */
  readonly sinceSync: () => number | undefined;
  readonly waitingMs: () => number;
  readonly failingWatches: () => readonly string[];
  readonly endpoints: () => number;
  readonly podMtu: () => number;
  readonly closed: () => NodeStatus["closed"];
  readonly outcomes: () => OutcomeTotals;
  readonly countedSince: () => Date;
  readonly tables: () => readonly Table[];
  readonly pools: () => readonly PoolUse[];
}

export function readStatus(sources: StatusSources): NodeStatus {
  const { serviceHandling, returnMode } = sources.mode();
  const sinceSync = sources.sinceSync();
  return {
    node: sources.node,
    kernel: sources.kernel,
    startedAt: sources.startedAt.toISOString(),
    attach: sources.attach() === "tcx" ? "tcx" : "clsact",
    serviceHandling,
    returnMode,
    notReady: [...sources.notReady()],
    syncedSecondsAgo: sinceSync === undefined ? null : seconds(sinceSync),
    waitingSeconds: seconds(sources.waitingMs()),
    failingWatches: [...sources.failingWatches()],
    endpoints: sources.endpoints(),
    podMtu: sources.podMtu(),
    closed: sources.closed(),
    refused: refusedPackets(sources.outcomes()),
    countedSince: sources.countedSince().toISOString(),
    tables: sources.tables().map(({ name, entries, capacity }) => ({ name, entries, capacity })),
    pools: sources.pools().map(({ pool, cidr, all, claimed, used }) => ({ pool, cidr, all, claimed, used })),
  };
}

const seconds = (ms: number) => Math.round(ms) / 1000;

function refusedPackets(totals: OutcomeTotals): Record<string, number> {
  const refused = [...totals].filter(([name, { packets }]) => packets > 0n && wordsOf(name).verdict !== "passed");
  return Object.fromEntries(refused.map(([name, { packets }]) => [name, Number(packets)]));
}
