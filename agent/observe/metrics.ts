import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from "prom-client";
import type { PoolUse } from "../../model/pool/use.ts";
import type { BackendCounts } from "../../model/service/backend-counts.ts";
import type { PolicyNames } from "../compile/desired.ts";
import type { OutcomeTotals, ReportTotals } from "../kernel/outcomes.ts";
import type { VerdictTotals } from "../kernel/verdicts.ts";
import type { Table } from "../tables/table-fill.ts";
import { bgpGauge, type CountedSession } from "./bgp-metrics.ts";
import { type CniMetrics, cniMetrics } from "./cni-metrics.ts";
import { encryptionGauges } from "./encryption-metrics.ts";
import { eventCounters } from "./event-metrics.ts";
import { policyVerdictCounter } from "./policy-metrics.ts";
import { poolGauge } from "./pool-metrics.ts";
import { serviceMetrics } from "./service-metrics.ts";
import type { ServiceSeries } from "./service-series.ts";
import type { EncryptionStatus } from "./status/node-status.ts";

export interface MetricSources {
  readonly outcomes: () => OutcomeTotals;
  readonly reports: () => ReportTotals;
  readonly verdicts: () => VerdictTotals;
  /** Names of the numbers in the maps. */
  readonly names: () => PolicyNames;
  /** Tables that can be full. The numbers are known: a scrape does not read the maps. */
  readonly tables: () => readonly Table[];
  readonly endpoints: () => number;
  readonly backends: () => BackendCounts;
  /** Addresses of pools in the whole cluster. */
  readonly pools: () => readonly PoolUse[];
  /** Load balancers' addresses that this node announces. */
  readonly announced: () => number;
  readonly bgpSessions: () => readonly CountedSession[];
  /** undefined: packets between nodes are not encrypted. */
  readonly encryption: () => EncryptionStatus | undefined;
  /** NetworkPolicies that exceed the size limit and allow nothing. */
  readonly closedPolicies: () => number;
  /** Services, and pods' host ports, that exceed the size limit and are not served. */
  readonly closedServices: () => number;
  /** Kinds of objects whose watch currently fails. */
  readonly failingWatches: () => readonly string[];
  /** The metrics of services under their names; absent: nobody asked for them. */
  readonly services?: (() => readonly ServiceSeries[]) | undefined;
  readonly build: BuildInfo;
}

/** Properties that are known when the agent starts. */
export interface BuildInfo {
  /** The layout of the maps, which agents with the same layout share. */
  readonly layout: string;
  /** The node's kernel release: uname -r. */
  readonly kernel: string;
}

/** Metrics that the agent counts itself. */
export interface AgentMetrics extends CniMetrics {
  readonly registry: Registry;
  /** A reconciliation took `seconds` and left `pending` entries unwritten. */
  reconciled(seconds: number, pending: number): void;
  /** A change of objects of this kind ("EndpointSlice") reached the kernel after `seconds`. */
  programmed(kind: string, seconds: number): void;
  failed(stage: string): void;
}

const PREFIX = "ebpf_dataplane_";

/** How often the delay of the event loop is measured. The library's 10 ms cost an idle agent almost half of its processor time. */
const EVENT_LOOP_MS = 100;

/** The metrics of one agent, read from the kernel at each scrape. */
export function agentMetrics(sources: MetricSources): AgentMetrics {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: EVENT_LOOP_MS });
  outcomeCounters(sources, registers);
  eventCounters(sources.reports, PREFIX, registers);
  policyVerdictCounter(sources.verdicts, sources.names, PREFIX, registers);
  tableGauges(sources, registers);
  poolGauge(sources.pools, PREFIX, registers);
  bgpGauge(sources.bgpSessions, PREFIX, registers);
  encryptionGauges(sources.encryption, PREFIX, registers);
  if (sources.services) serviceMetrics(sources.services, PREFIX, registers);
  gauge("endpoints", "Workload endpoints on this node.", sources.endpoints, registers);
  new Gauge({
    name: `${PREFIX}service_backends`,
    help:
      "Backends of all Services by state: ready; terminating (they serve, and get new connections only where none is ready); " +
      "unready. One that several Services have counts for each.",
    labelNames: ["state"],
    registers,
    collect() {
      for (const [state, count] of Object.entries(sources.backends())) this.set({ state }, count);
    },
  });
  gauge(
    "announced_addresses",
    "Load balancers' addresses that this node announces, each of which one node of the cluster does.",
    sources.announced,
    registers,
  );
  gauge(
    "policies_closed",
    "NetworkPolicies on this node that exceed the size limit: they isolate their pods and allow nothing.",
    sources.closedPolicies,
    registers,
  );
  gauge(
    "services_closed",
    "Services that exceed a size limit, alone or together: they are not served on this node.",
    sources.closedServices,
    registers,
  );
  new Gauge({
    name: `${PREFIX}build_info`,
    help: "1; the labels contain the map layout and the kernel release of this agent.",
    labelNames: ["layout", "kernel"],
    registers,
  }).set({ ...sources.build }, 1);
  new Gauge({
    name: `${PREFIX}watch_failing`,
    help: "1 for each kind of object that currently cannot be watched; the last known objects stay in force.",
    labelNames: ["kind"],
    registers,
    collect() {
      this.reset();
      for (const kind of sources.failingWatches()) this.set({ kind }, 1);
    },
  });
  return { registry, ...ownMetrics(registers) };
}

/** A number without labels. */
function gauge(name: string, help: string, read: () => number, registers: Registry[]): void {
  new Gauge({
    name: PREFIX + name,
    help,
    registers,
    collect() {
      this.set(read());
    },
  });
}

const SECONDS = [0.001, 0.005, 0.02, 0.05, 0.1, 0.5, 2, 10];

function ownMetrics(registers: Registry[]): Omit<AgentMetrics, "registry"> {
  const duration = new Histogram({
    name: `${PREFIX}reconcile_seconds`,
    help: "Duration of one comparison of the cluster's state with the kernel's, including the writes.",
    buckets: SECONDS,
    registers,
  });
  const programming = new Histogram({
    name: `${PREFIX}programming_seconds`,
    help: "Time from the first event of a change of the cluster's objects until the kernel has the change, by kind of object.",
    labelNames: ["kind"],
    buckets: SECONDS,
    registers,
  });
  const cni = cniMetrics(PREFIX, registers);
  const pending = new Gauge({
    name: `${PREFIX}pending_entries`,
    help: "Map entries that still have to be written or deleted.",
    registers,
  });
  const success = new Gauge({
    name: `${PREFIX}last_success_timestamp_seconds`,
    help: "When the kernel last had the complete state of the cluster, in seconds since 1970; checked at least every 10 s.",
    registers,
  });
  const errors = new Counter({
    name: `${PREFIX}errors_total`,
    help: "Failures by stage.",
    labelNames: ["stage"],
    registers,
  });
  for (const stage of ["reconcile", "cni"]) errors.inc({ stage }, 0);
  return {
    reconciled(seconds, count) {
      duration.observe(seconds);
      pending.set(count);
      if (count === 0) success.setToCurrentTime();
    },
    programmed: (kind, seconds) => programming.observe({ kind }, seconds),
    addTook: cni.addTook,
    cniCalled(command, result, seconds) {
      cni.cniCalled(command, result, seconds);
      if (result === "failed") errors.inc({ stage: "cni" });
    },
    failed: (stage) => errors.inc({ stage }),
  };
}

// The kernel's totals only grow while the map lives, which is what a counter is; prom-client counters are increased, so
// they are reset at each scrape.
function outcomeCounters({ outcomes }: MetricSources, registers: Registry[]): void {
  const counter = (name: "packets" | "bytes") =>
    new Counter({
      name: `${PREFIX}${name}_total`,
      help: `${name === "packets" ? "Packets" : "Bytes"} by outcome.`,
      labelNames: ["outcome"],
      registers,
      collect() {
        this.reset();
        for (const [outcome, totals] of outcomes()) this.inc({ outcome }, Number(totals[name]));
      },
    });
  counter("packets");
  counter("bytes");
  new Counter({
    name: `${PREFIX}xdp_packets_total`,
    help: "Of the packets, those that ended in the drivers of the uplinks' cards (`Dataplane.xdp`). Absent: none of this outcome has.",
    labelNames: ["outcome"],
    registers,
    collect() {
      this.reset();
      for (const [outcome, { early }] of outcomes()) if (early > 0n) this.inc({ outcome }, Number(early));
    },
  });
}

function tableGauges({ tables }: MetricSources, registers: Registry[]): void {
  const gauge = (name: string, help: string, of: (table: Table) => number) =>
    new Gauge({
      name: `${PREFIX}${name}`,
      help,
      labelNames: ["map"],
      registers,
      collect() {
        for (const table of tables()) this.set({ map: table.name }, of(table));
      },
    });
  gauge("map_capacity", "Maximum number of entries in a map.", ({ capacity }) => capacity);
  gauge(
    "map_entries",
    "Number of entries in a map; of connections (proven, unproven, half_open) those that live, counted once a minute.",
    ({ entries }) => entries,
  );
}
