import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { recordResources, settled } from "../../testing/program.ts";
import { type DataplaneArgs, MetricsAddress } from "../args.ts";
import { Dataplane } from "../component.ts";
import type { Monitoring } from "./args.ts";
import { neededDefinitions } from "./objects.ts";

const apiServer = { host: "172.31.1.8", port: 6443 };
const file = (name: string) => readFileSync(join(import.meta.dirname, name), "utf8");

// biome-ignore lint/suspicious/noExplicitAny: inputs of any kind
type Inputs = any;

async function objectsWith(monitoring: Monitoring | undefined, more: Partial<DataplaneArgs> = {}) {
  const resources = await recordResources();
  new Dataplane("dp", { apiServer, metricsAddress: MetricsAddress.Node, ...(monitoring && { monitoring }), ...more });
  await settled();
  return (kind: string, name = "ebpf-dataplane"): Inputs =>
    resources.find(({ type, inputs }) => type.endsWith(`:${kind}`) && (inputs.metadata as Inputs)?.name === name)
      ?.inputs;
}

test("without monitoring nothing of it is declared", async () => {
  const of = await objectsWith(undefined);
  for (const kind of ["Service", "PodMonitor", "ServiceMonitor", "PrometheusRule"]) expect(of(kind)).toBeUndefined();
  const { spec } = of("DaemonSet").spec.template;
  expect(spec.containers[0].ports).toBeUndefined();
});

test("a PodMonitor finds the agents by their label and port, under the job of the alerts", async () => {
  const of = await objectsWith({
    podMonitor: { labels: { release: "kube-prometheus-stack" }, namespace: "monitoring", interval: "30s" },
  });
  const { metadata, spec } = of("PodMonitor");
  expect(metadata).toEqual({
    name: "ebpf-dataplane",
    namespace: "monitoring",
    labels: { release: "kube-prometheus-stack", "k8s-app": "ebpf-dataplane" },
  });
  const template = of("DaemonSet").spec.template;
  const [endpoint] = spec.podMetricsEndpoints;
  expect(template.spec.containers[0].ports).toEqual([{ name: endpoint.port, containerPort: 9098, protocol: "TCP" }]);
  expect(template.metadata.labels).toMatchObject(spec.selector.matchLabels);
  expect(spec.namespaceSelector).toEqual({ matchNames: [of("DaemonSet").metadata.namespace] });
  expect(endpoint).toMatchObject({ path: "/metrics", interval: "30s", relabelings: [{ targetLabel: "instance" }] });
  expect(file("alerts.json")).toContain(`job=\\"${template.metadata.labels[spec.jobLabel]}\\"`);
  expect(of("Service")).toBeUndefined();
});

test("a ServiceMonitor has a headless Service; TLS and the token are the same Secrets for agents and Prometheus", async () => {
  const access = { tls: { secretName: "metrics-cert" }, bearerTokenSecret: { name: "metrics-token", key: "token" } };
  const of = await objectsWith({ access, serviceMonitor: {}, service: { labels: { team: "net" } } });
  const service = of("Service");
  expect(service.spec).toMatchObject({ clusterIP: "None", ports: [{ name: "metrics", port: 9098 }] });
  expect(service.metadata.labels).toEqual({ team: "net", "k8s-app": "ebpf-dataplane" });
  const { spec } = of("ServiceMonitor");
  expect(service.metadata.labels).toMatchObject(spec.selector.matchLabels);
  expect(spec.endpoints[0]).toMatchObject({
    port: "metrics",
    scheme: "https",
    tlsConfig: {
      serverName: "ebpf-dataplane.ebpf-dataplane.svc",
      ca: { secret: { name: "metrics-cert", key: "ca.crt" } },
    },
    authorization: { type: "Bearer", credentials: access.bearerTokenSecret },
  });
  const { volumes, containers } = of("DaemonSet").spec.template.spec;
  const { args, volumeMounts } = containers[0];
  expect(args.slice(3)).toEqual([
    "--metrics-tls",
    "/etc/ebpf-dataplane-metrics/tls",
    "--metrics-token",
    "/etc/ebpf-dataplane-metrics/token/token",
  ]);
  // A Secret that is missing must not keep a node without its network.
  for (const [name, secretName] of Object.entries({
    "metrics-tls": "metrics-cert",
    "metrics-token": "metrics-token",
  })) {
    expect(volumes.find((volume: Inputs) => volume.name === name).secret).toMatchObject({ secretName, optional: true });
    expect(volumeMounts.find((mount: Inputs) => mount.name === name).readOnly).toBe(true);
  }
});

test("the rules and the dashboard are the documents themselves", async () => {
  const of = await objectsWith({
    prometheusRule: { labels: { release: "k" } },
    dashboards: { namespace: "monitoring", folder: "Network" },
  });
  expect(of("PrometheusRule").spec).toEqual(JSON.parse(file("alerts.json")));
  expect(of("ConfigMap", "ebpf-dataplane-dashboard")).toMatchObject({
    metadata: {
      namespace: "monitoring",
      labels: { grafana_dashboard: "1" },
      annotations: { grafana_folder: "Network" },
    },
    data: { "ebpf-dataplane.json": file("dashboard.json") },
  });
});

test("which definitions are needed", () => {
  expect(neededDefinitions({ service: {}, dashboards: {} })).toEqual([]);
  expect(neededDefinitions({ podMonitor: {}, prometheusRule: {} })).toEqual([
    "podmonitors.monitoring.coreos.com",
    "prometheusrules.monitoring.coreos.com",
  ]);
});

describe("refused", () => {
  const secret = { name: "t", key: "token" };
  test.each<[string, object, Partial<DataplaneArgs>, string]>([
    ["a misspelt field", { podMonitors: {} }, {}, 'monitoring: unknown key "podMonitors"; did you mean "podMonitor"?'],
    ["one below", { podMonitor: { label: {} } }, {}, 'monitoring.podMonitor: unknown key "label"'],
    ["both monitors", { podMonitor: {}, serviceMonitor: {} }, {}, "monitoring.serviceMonitor is"],
    [
      "metrics that nobody reaches",
      { podMonitor: {} },
      { metricsAddress: MetricsAddress.Loopback },
      "metricsAddress is",
    ],
    ["the same, by default", { service: {} }, { metricsAddress: undefined as never }, "metricsAddress is"],
    ["a token in clear", { access: { bearerTokenSecret: secret } }, {}, "monitoring.access.tls is"],
    ["no interval", { podMonitor: { interval: "30" } }, {}, 'monitoring.podMonitor.interval is "30"'],
    ["interval 0", { serviceMonitor: { interval: "0s" } }, {}, "monitoring.serviceMonitor.interval is"],
    ["no namespace", { prometheusRule: { namespace: "A b" } }, {}, "monitoring.prometheusRule.namespace is"],
    ["no label", { dashboards: { labels: { a: "b c" } } }, {}, "monitoring.dashboards.labels.a is"],
    ["the dataplane's label", { service: { labels: { "k8s-app": "x" } } }, {}, "monitoring.service.labels is"],
    ["no Secret", { access: { tls: { secretName: "A_b" } } }, {}, "monitoring.access.tls.secretName is"],
  ])("%s", async (_, monitoring, more, words) => {
    await recordResources();
    const args = { apiServer, metricsAddress: MetricsAddress.Node, monitoring: monitoring as Monitoring, ...more };
    expect(() => new Dataplane("dp", args)).toThrow(words);
  });
});
