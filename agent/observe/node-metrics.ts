// The sources of one node's metrics.
import { release } from "node:os";
import type { PoolUse } from "../../model/pool/use.ts";
import { NO_BACKENDS } from "../../model/service/backend-counts.ts";
import { NO_NAMES } from "../compile/desired.ts";
import type { Encryption } from "../encryption/encryption.ts";
import { layoutHash } from "../kernel/layout.gen.ts";
import { outcomeReader, reportReader } from "../kernel/outcomes.ts";
import type { Pins } from "../kernel/pins.ts";
import { serviceCounts } from "../kernel/service-counts.ts";
import { verdictReader } from "../kernel/verdicts.ts";
import type { Dataplane } from "../pass/dataplane.ts";
import type { Tables } from "../tables/tables.ts";
import type { Logger } from "./log.ts";
import { type AgentMetrics, agentMetrics, type MetricSources } from "./metrics.ts";
import { type ServiceMetricsSettings, ServiceSeriesList } from "./service-series.ts";

/** Metrics are served before there is a dataplane. */
export interface Counted {
  pools?: () => readonly PoolUse[];
  announced?: () => number;
  encryption?: Pick<Encryption, "status">;
  by?: Pick<Dataplane, "backendCounts" | "numbers" | "closedPolicies" | "closedServices" | "servedServices">;
}

interface Parts extends Pick<MetricSources, "endpoints" | "failingWatches" | "bgpSessions"> {
  readonly pins: Pins;
  readonly tables: Tables;
  readonly counted: Counted;
  readonly services: ServiceMetricsSettings | undefined;
  readonly log: Logger;
}

export function nodeMetrics({ pins, tables, counted, services, log, ...others }: Parts): AgentMetrics {
  return agentMetrics({
    ...others,
    tables: tables.all,
    backends: () => counted.by?.backendCounts() ?? NO_BACKENDS,
    closedPolicies: () => counted.by?.closedPolicies ?? 0,
    closedServices: () => counted.by?.closedServices ?? 0,
    outcomes: outcomeReader(pins),
    reports: reportReader(pins),
    verdicts: verdictReader(pins),
    names: () => counted.by?.numbers.names ?? NO_NAMES,
    announced: () => counted.announced?.() ?? 0,
    pools: () => counted.pools?.() ?? [],
    encryption: () => counted.encryption?.status(Date.now()),
    services: services && seriesReader(services, pins, counted, log),
    build: { layout: layoutHash, kernel: release() },
  });
}

const NO_SERVICES = { services: [], lists: new Map() };
const REMOVE_MS = 60_000;

/** Read even without scrapes, so that entries of services that no longer exist make room. */
function seriesReader(settings: ServiceMetricsSettings, pins: Pins, counted: Counted, log: Logger) {
  const list = new ServiceSeriesList(settings, serviceCounts(pins), () => counted.by?.servedServices() ?? NO_SERVICES);
  const read = () => list.read();
  setInterval(() => {
    try {
      read();
    } catch (error) {
      log.error(`services are not counted: ${error instanceof Error ? error.message : error}`);
    }
  }, REMOVE_MS);
  return read;
}
