import { Counter, Gauge, type Registry } from "prom-client";
import type { ServiceSeries } from "./service-series.ts";

/** Metrics with the names of services. The first of them reads the kernel's counters at a scrape, the others show the same. */
export function serviceMetrics(read: () => readonly ServiceSeries[], prefix: string, registers: Registry[]): void {
  let last: readonly ServiceSeries[] = [];
  new Counter({
    name: `${prefix}service_connections_total`,
    help:
      "Connections to a Service, of sockets and packets, where a backend was chosen for them: on the client's node or where they enter the " +
      "cluster. Of UDP: flows. Only with serviceMetrics, as all with the label `service`; Services beyond the limit are `other services`.",
    labelNames: ["namespace", "service"],
    registers,
    collect() {
      this.reset();
      last = read();
      for (const { labels, connections } of last) this.inc({ ...labels }, connections);
    },
  });
  new Counter({
    name: `${prefix}service_refusals_total`,
    help:
      "Packets and calls of sockets that asked for a connection to a Service and were refused, by reason (an outcome). A client that tries again " +
      "counts again. Policies of a backend on another node refuse there.",
    labelNames: ["namespace", "service", "reason"],
    registers,
    collect() {
      this.reset();
      for (const { labels, refusals } of last)
        for (const [reason, times] of refusals) this.inc({ ...labels, reason }, times);
    },
  });
  const units = [
    ["packets", "Packets"],
    ["bytes", "Bytes"],
  ] as const;
  for (const [unit, words] of units)
    new Counter({
      name: `${prefix}service_${unit}_total`,
      help:
        `${words} of a Service's connections by direction (request, answer), without the headers of tunnels; of connections that opened with serviceMetrics. ` +
        "Each is counted by one node. Not those of processes of a node, unless host policies have their connections tracked.",
      labelNames: ["namespace", "service", "direction"],
      registers,
      collect() {
        this.reset();
        for (const { labels, requests, answers } of last) {
          this.inc({ ...labels, direction: "request" }, requests[unit]);
          this.inc({ ...labels, direction: "answer" }, answers[unit]);
        }
      },
    });
  new Gauge({
    name: `${prefix}service_endpoints`,
    help: "Backends of a Service by state, as in service_backends, in the whole cluster.",
    labelNames: ["namespace", "service", "state"],
    registers,
    collect() {
      this.reset();
      for (const { labels, backends } of last)
        for (const [state, number] of Object.entries(backends ?? {})) this.set({ ...labels, state }, number);
    },
  });
}
