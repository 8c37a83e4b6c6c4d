import { join } from "node:path";
import perfHooks from "node:perf_hooks";
import { expect, test, vi } from "vitest";
import { NO_NAMES } from "../../agent/compile/desired.ts";
import { outcomeNames } from "../../agent/kernel/layout.gen.ts";
import { agentMetrics } from "../../agent/observe/metrics.ts";
import { wordsOf } from "../../agent/observe/outcome-words.ts";
import { expressions, missing, rules } from "./documents.ts";
import { metricsOf, selectorsOf } from "./exposition.ts";

const none = { sent: 0n, suppressed: 0n, lost: 0n };
const measuring = vi.spyOn(perfHooks, "monitorEventLoopDelay");
const metrics = agentMetrics({
  outcomes: () => new Map([...outcomeNames.values()].map((name) => [name, { packets: 1n, bytes: 1n, early: 1n }])),
  reports: () => new Map([["opened", none] as const, ["refused", none] as const, ["logged", none] as const]),
  verdicts: () => [],
  names: () => NO_NAMES,
  tables: () => [{ name: "proven", entries: 1, capacity: 2 }],
  endpoints: () => 0,
  backends: () => ({ ready: 4, terminating: 1, unready: 0 }),
  announced: () => 2,
  pools: () => [
    {
      pool: "a",
      cidr: "10.1.0.0/24",
      all: 256,
      claimed: 64,
      used: 3,
      wrapping: "",
      byNode: new Map(),
      byNamespace: new Map(),
    },
  ],
  encryption: () => ({ peers: [{ node: "b", handshakeSecondsAgo: 7, asked: true }], without: [] }),
  bgpSessions: () => [{ peer: "192.0.2.1", established: false }],
  closedPolicies: () => 0,
  closedServices: () => 0,
  failingWatches: () => ["pods"],
  services: () => [
    {
      labels: { namespace: "shop", service: "web" },
      connections: 1,
      refusals: new Map([["drop_source_range", 1]]),
      requests: { packets: 3, bytes: 300 },
      answers: { packets: 2, bytes: 200 },
      backends: { ready: 1, terminating: 0, unready: 0 },
    },
  ],
  build: { layout: "0", kernel: "6.1" },
});
const measured = [...measuring.mock.calls]; // vitest forgets them before a test
metrics.reconciled(0, 0);
metrics.programmed("EndpointSlice", 0);
metrics.cniCalled("ADD", "done", 0);

test("the dashboard and the alert rules name only what an agent shows", async () => {
  expect(expressions().length).toBeGreaterThan(20);
  expect(missing(metricsOf(await metrics.registry.metrics()))).toEqual([]);
});

test("every rule names the problem, and how long it must last", () => {
  const all = rules().groups.flatMap((group) => group.rules);
  expect(new Set(all.map(({ alert }) => alert)).size).toBe(all.length);
  for (const rule of all) {
    expect(rule.for, rule.alert).toMatch(/^\d+[smh]$/);
    expect(rule.annotations.summary, rule.alert).toMatch(/\.$/);
  }
});

test("the delay of the event loop is measured ten times a second, which costs an idle agent little", () => {
  expect(measured).toEqual([[{ resolution: 100 }]]);
});

test("an invalid expression is refused", () => {
  expect(selectorsOf('sum by (a) (rate(x_total{b=~"c", d!="e"}[5m])) / y')).toEqual([
    { metric: "x_total", labels: ["b", "d"] },
    { metric: "y", labels: [] },
  ]);
  expect(() => selectorsOf("rate(x[5m)")).toThrow("is not valid PromQL");
});

test("docs/metrics.md describes every metric (update with -u)", async () => {
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
    "Every agent serves Prometheus metrics on port 9098, path `/metrics`. `metricsAddress` of `Dataplane` sets the address. The default is",
    "127.0.0.1, because the metrics reveal a node's activity. `Node` (the node's first address) or `Any` (all, of both families) admits a Prometheus",
    "server in a pod or on another machine, and every other client that can reach the node. Scrapes within a second share one answer.",
    "",
    "A node has about 44 series for packets and 12 for maps. No label contains an address or a pod, and only the metrics that",
    "`Dataplane.serviceMetrics` adds contain services ([which](decisions/0030-service-metrics.md)): at most its `limit` on each node. To see",
    "clients, use `make watch` or `inspect flows`. `test/observability` generates this page from the code.",
    "",
    "| Metric | Type | Labels | Meaning |",
    "|---|---|---|---|",
    ...rows,
    "",
    "prom-client provides the metrics of the process (`process_*`, `nodejs_*`). It measures the event loop every 100 ms.",
    "",
    "## Outcomes",
    "",
    "Values of the label `outcome`. Every packet that a program handles has exactly one outcome.",
    "",
    "| Outcome | Verdict | Meaning |",
    "|---|---|---|",
    ...outcomes,
    "",
    "## Dashboard and alerts",
    "",
    "`monitoring` of `Dataplane` declares what Prometheus and Grafana need, in the words of the Prometheus Operator:",
    "",
    "```ts",
    "metricsAddress: MetricsAddress.Node,",
    "monitoring: {",
    '  podMonitor: { labels: { release: "kube-prometheus-stack" }, interval: "30s" }, // or serviceMonitor, or service alone',
    '  prometheusRule: { labels: { release: "kube-prometheus-stack" } },',
    '  dashboards: { namespace: "monitoring", folder: "Network" }, // the label grafana_dashboard: "1", unless labels says otherwise',
    '  access: { tls: { secretName: "metrics-cert" }, bearerTokenSecret: { name: "metrics-token", key: "token" } },',
    "},",
    "```",
    "",
    "The label `instance` is then the node's name. `access` is optional: `tls.crt` and `tls.key` of the Secret are the agents' certificate, `ca.crt` is what",
    "Prometheus trusts; the certificate is for `ebpf-dataplane.NAMESPACE.svc` or what `serverName` says. Both Secrets are needed in the agents'",
    "namespace and in that of the monitor. Agents follow new ones without a restart. While a Secret is missing or wrong, agents run and serve no metrics.",
    "",
    "Why a token and not the API server's TokenReview and SubjectAccessReview, as with kube-rbac-proxy: agents get no right to ask the API server who somebody",
    "is, a stranger's scrape costs the API server nothing, metrics are there while it is away, and a PodMonitor can send it.",
    "",
    "The port is always 9098, which no Service can claim at a node's address. A client that reaches it cannot keep an agent busy: 16 connections at a time, 20 new",
    "ones a second, 8 requests and 30 s each, 10 s for a request, one answer a second.",
    "",
    "Without the Prometheus Operator: import [dashboard.json](../components/dataplane/monitoring/dashboard.json) into Grafana;",
    "[alerts.json](../components/dataplane/monitoring/alerts.json) is a Prometheus rule file (Prometheus reads JSON, too). Both expect a job",
    "`ebpf-dataplane` that scrapes port 9098 of every node. A test compares their",
    "metrics and labels with a running agent.",
    "",
  ].join("\n");
  await expect(text).toMatchFileSnapshot(join(import.meta.dirname, "..", "..", "docs", "metrics.md"));
});
