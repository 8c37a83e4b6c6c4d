import { Counter, type Registry } from "prom-client";
import type { ReportTotals } from "../kernel/outcomes.ts";

/** How many events were reported, and how many were not. */
export function eventCounters(reports: () => ReportTotals, prefix: string, registers: Registry[]): void {
  const counter = (name: string, help: string, field: "sent" | "suppressed" | "lost") =>
    new Counter({
      name: `${prefix}${name}`,
      help,
      labelNames: ["event"],
      registers,
      collect() {
        this.reset();
        for (const [event, totals] of reports()) this.inc({ event }, Number(totals[field]));
      },
    });
  counter("events_total", "Events reported to watchers of flows, none without watchers; and of Log rules.", "sent");
  counter(
    "events_suppressed_total",
    "Events that were not reported because they exceeded the limit per CPU.",
    "suppressed",
  );
  counter("events_lost_total", "Events that were lost because the ring buffer was full.", "lost");
}
