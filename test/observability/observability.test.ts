import { join } from "node:path";
import { expect, test } from "vitest";
import { outcomeNames } from "../../agent/kernel/layout.gen.ts";
import { memoryMaps } from "../../agent/kernel/memory-map.ts";
import { agentMetrics } from "../../agent/observe/metrics.ts";
import { wordsOf } from "../../agent/observe/outcome-words.ts";
import { expressions, missing, rules } from "./documents.ts";
import { metricsOf, selectorsOf } from "./exposition.ts";

const none = { sent: 0n, suppressed: 0n, lost: 0n };
const metrics = agentMetrics({
  outcomes: () => new Map([...outcomeNames.values()].map((name) => [name, { packets: 1n, bytes: 1n }])),
  reports: () => new Map([["opened", none] as const, ["refused", none] as const]),
  maps: memoryMaps(),
  endpoints: () => 0,
  entries: () => 0,
  closedPolicies: () => 0,
  closedServices: () => 0,
  failingWatches: () => ["pods"],
  build: { layout: "0", kernel: "6.1" },
});
metrics.reconciled(0, 0);
metrics.programmed(0);
metrics.cniCalled("ADD", "done", 0);

test("the dashboard and the alert rules name only what an agent shows", async () => {
  expect(expressions().length).toBeGreaterThan(20);
  expect(missing(metricsOf(await metrics.registry.metrics()))).toEqual([]);
});

test("every rule says what is wrong, and for how long it must be", () => {
  const all = rules().groups.flatMap((group) => group.rules);
  expect(new Set(all.map(({ alert }) => alert)).size).toBe(all.length);
  for (const rule of all) {
    expect(rule.for, rule.alert).toMatch(/^\d+[smh]$/);
    expect(rule.annotations.summary, rule.alert).toMatch(/\.$/);
  }
});

test("an expression that is none is refused", () => {
  expect(selectorsOf('sum by (a) (rate(x_total{b=~"c", d!="e"}[5m])) / y')).toEqual([
    { metric: "x_total", labels: ["b", "d"] },
    { metric: "y", labels: [] },
  ]);
  expect(() => selectorsOf("rate(x[5m)")).toThrow("is no PromQL");
});

test("docs/metrics.md says of every metric what it is (rewrite with -u)", async () => {
  const own = (await metrics.registry.getMetricsAsJSON()).filter(({ name }) => name.startsWith("ebpf_dataplane_"));
  const page = metricsOf(await metrics.registry.metrics());
  const labelsOf = (name: string) =>
    [...(page.get(name) ?? page.get(`${name}_count`) ?? [])].filter((label) => label !== "le").join(", ");
  const rows = own
    .sort((a, b) => a.name.localeCompare(b.name))
    .map(({ name, type, help }) => `| \`${name}\` | ${type} | ${labelsOf(name)} | ${help} |`);
  const outcomes = [...outcomeNames.values()].map((name) => {
    const { verdict, text } = wordsOf(name);
    return `| \`${name}\` | ${verdict} | ${text} |`;
  });
  const text = [
    "# Metrics",
    "",
    "Every agent shows them to Prometheus at port 9098, path `/metrics`, of the address that `--metrics-address` names: by default",
    "127.0.0.1, since they tell whoever reads them what a node does; the node's own address or 0.0.0.0 lets a Prometheus elsewhere in,",
    "and everybody else who reaches the node. `Dataplane` has no input for it yet: a Prometheus in the cluster needs the option in the",
    "DaemonSet's `args`. Scrapes within a second share one answer. This page is made from the code by",
    "`test/observability`; what stands here is what an agent has. Series of one node: about 44 for packets, 12 for maps; no label",
    "holds an address, a pod or a service. Which client, which service: `make watch`, `inspect flows`.",
    "",
    "| metric | type | labels | meaning |",
    "|---|---|---|---|",
    ...rows,
    "",
    "The process's own (`process_*`, `nodejs_*`) come from prom-client.",
    "",
    "## Outcomes",
    "",
    "Values of the label `outcome`; every packet that a program sees ends in exactly one.",
    "",
    "| outcome | verdict | meaning |",
    "|---|---|---|",
    ...outcomes,
    "",
    "## Dashboard and alerts",
    "",
    "[observability/dashboard.json](observability/dashboard.json) is imported into Grafana; [observability/alerts.yaml](observability/alerts.yaml)",
    "is a rule file of Prometheus. Both expect the job `ebpf-dataplane` to scrape every node's port 9098 (see above). A test holds each metric and",
    "label that they name against a running agent.",
    "",
  ].join("\n");
  await expect(text).toMatchFileSnapshot(join(import.meta.dirname, "..", "..", "docs", "metrics.md"));
});
