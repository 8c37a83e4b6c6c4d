import type { Server } from "node:http";
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from "prom-client";
import type { MapStores, StoredMapName } from "../kernel/map_store.ts";
import type { OutcomeTotals, ReportTotals } from "../kernel/outcomes.ts";
import { listen } from "./health.ts";

export interface MetricSources {
  readonly outcomes: () => OutcomeTotals;
  readonly reports: () => ReportTotals;
  readonly maps: MapStores;
  readonly endpoints: () => number;
}

/** What the agent counts itself. */
export interface AgentMetrics {
  readonly registry: Registry;
  /** One reconciliation that took `seconds` and left `pending` entries unwritten. */
  reconciled(seconds: number, pending: number): void;
  failed(stage: string): void;
}

const PREFIX = "ebpf_dataplane_";

/** The metrics of one agent, read from the kernel at each scrape. */
export function agentMetrics(sources: MetricSources): AgentMetrics {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry });
  outcomeCounters(sources, registers);
  eventCounters(sources, registers);
  mapGauges(sources, registers);
  new Gauge({
    name: `${PREFIX}endpoints`,
    help: "Workload endpoints on this node.",
    registers,
    collect() {
      this.set(sources.endpoints());
    },
  });
  const duration = new Histogram({
    name: `${PREFIX}reconcile_seconds`,
    help: "Time from a change being looked at to the kernel holding it.",
    buckets: [0.001, 0.005, 0.02, 0.1, 0.5, 2, 10],
    registers,
  });
  const pending = new Gauge({
    name: `${PREFIX}pending_entries`,
    help: "Map entries that are not yet as they should be.",
    registers,
  });
  const errors = new Counter({
    name: `${PREFIX}errors_total`,
    help: "Failures by stage.",
    labelNames: ["stage"],
    registers,
  });
  return {
    registry,
    reconciled(seconds, count) {
      duration.observe(seconds);
      pending.set(count);
    },
    failed: (stage) => errors.inc({ stage }),
  };
}

/** Serves /metrics in Prometheus' text format, on all addresses of the node. */
export function serveMetrics({ registry }: AgentMetrics, port: number): Promise<Server> {
  return listen({ port }, async (request, response) => {
    if (request.url !== "/metrics") return void response.writeHead(404).end("There is /metrics.\n");
    response.writeHead(200, { "content-type": registry.contentType }).end(await registry.metrics());
  });
}

// The kernel's totals only grow while the map lives, which is what a counter is; prom-client counters are increased, so
// they are set anew at each scrape.
function outcomeCounters({ outcomes }: MetricSources, registers: Registry[]): void {
  const counter = (name: "packets" | "bytes") =>
    new Counter({
      name: `${PREFIX}${name}_total`,
      help: `${name === "packets" ? "Packets" : "Bytes"} by what became of them.`,
      labelNames: ["outcome"],
      registers,
      collect() {
        this.reset();
        for (const [outcome, totals] of outcomes()) this.inc({ outcome }, Number(totals[name]));
      },
    });
  counter("packets");
  counter("bytes");
}

function eventCounters({ reports }: MetricSources, registers: Registry[]): void {
  const counter = (name: string, help: string, field: "sent" | "suppressed" | "lost") =>
    new Counter({
      name: `${PREFIX}${name}`,
      help,
      labelNames: ["event"],
      registers,
      collect() {
        this.reset();
        for (const [event, totals] of reports()) this.inc({ event }, Number(totals[field]));
      },
    });
  counter("events_total", "Events told to whoever watches flows; nothing while nobody does.", "sent");
  counter("events_suppressed_total", "Events over the limit per CPU, not told.", "suppressed");
  counter("events_lost_total", "Events that found the ring buffer full.", "lost");
}

// Counting is reading every entry, so the large tables of the packet path itself are left out.
const COUNTED: StoredMapName[] = ["services", "slots", "backends", "locations", "policies", "endpoints"];

function mapGauges({ maps }: MetricSources, registers: Registry[]): void {
  const capacity = new Gauge({
    name: `${PREFIX}map_capacity`,
    help: "Entries a map has room for.",
    labelNames: ["map"],
    registers,
  });
  for (const map of COUNTED) capacity.set({ map }, maps[map].definition.maxEntries);
  new Gauge({
    name: `${PREFIX}map_entries`,
    help: "Entries in a map.",
    labelNames: ["map"],
    registers,
    collect() {
      for (const map of COUNTED) this.set({ map }, maps[map].entries().length);
    },
  });
}
