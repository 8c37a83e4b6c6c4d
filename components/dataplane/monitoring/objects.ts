import { readFileSync } from "node:fs";
import { join } from "node:path";
import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { packageRoot } from "../../program/installed-program.ts";
import { AGENT, AGENT_LABELS, AGENT_PORTS } from "../names.ts";
import { withOwn } from "../pod-placement.ts";
import type { DashboardConfigMap, MetricsAccess, MetricsMonitor, Monitoring } from "./args.ts";

type Labels = pulumi.Input<Record<string, pulumi.Input<string>>> | undefined;

/** The port's name in the agents' pods and in their Service. */
export const METRICS_PORT = { name: "metrics", containerPort: AGENT_PORTS.metrics, protocol: "TCP" };

/** API of the Prometheus Operator. */
const OPERATOR = "monitoring.coreos.com";

/** Its kinds that a monitoring needs: names of their definitions. */
export function neededDefinitions({ podMonitor, serviceMonitor, prometheusRule }: Monitoring): string[] {
  const needed = { podmonitors: podMonitor, servicemonitors: serviceMonitor, prometheusrules: prometheusRule };
  return Object.entries(needed).flatMap(([plural, given]) => (given ? [`${plural}.${OPERATOR}`] : []));
}

/** Service, monitors, rules and dashboard. */
export function monitoringObjects(
  name: string,
  monitoring: Monitoring,
  namespace: pulumi.Input<string>,
  opts: pulumi.ResourceOptions,
): pulumi.Resource[] {
  const { access, service, podMonitor, serviceMonitor, prometheusRule, dashboards } = monitoring;
  const ofOperator = (kind: string, given: { labels?: Labels; namespace?: pulumi.Input<string> }, spec: object) =>
    new k8s.apiextensions.CustomResource(
      `${name}-${kind.toLowerCase()}`,
      {
        apiVersion: `${OPERATOR}/v1`,
        kind,
        metadata: { name: AGENT, namespace: given.namespace ?? namespace, labels: withOwn(given.labels, AGENT_LABELS) },
        spec,
      },
      opts,
    );
  const selected = {
    jobLabel: "k8s-app",
    namespaceSelector: { matchNames: [namespace] },
    selector: { matchLabels: AGENT_LABELS },
  };
  const endpoint = (monitor: MetricsMonitor) => scrapeEndpoint(monitor, access, namespace);
  return [
    ...(service || serviceMonitor
      ? [
          new k8s.core.v1.Service(
            `${name}-metrics-service`,
            {
              metadata: {
                name: AGENT,
                namespace,
                labels: withOwn(service?.labels, AGENT_LABELS),
                ...(service?.annotations && { annotations: service.annotations }),
              },
              spec: {
                clusterIP: "None",
                selector: AGENT_LABELS,
                ports: [{ name: METRICS_PORT.name, port: AGENT_PORTS.metrics, protocol: METRICS_PORT.protocol }],
              },
            },
            opts,
          ),
        ]
      : []),
    ...(podMonitor
      ? [ofOperator("PodMonitor", podMonitor, { ...selected, podMetricsEndpoints: [endpoint(podMonitor)] })]
      : []),
    ...(serviceMonitor
      ? [ofOperator("ServiceMonitor", serviceMonitor, { ...selected, endpoints: [endpoint(serviceMonitor)] })]
      : []),
    ...(prometheusRule ? [ofOperator("PrometheusRule", prometheusRule, JSON.parse(document("alerts.json")))] : []),
    ...(dashboards ? [dashboardConfigMap(name, dashboards, namespace, opts)] : []),
  ];
}

function scrapeEndpoint(
  { interval }: MetricsMonitor,
  { tls, bearerTokenSecret }: MetricsAccess = {},
  namespace: pulumi.Input<string>,
): object {
  return {
    port: METRICS_PORT.name,
    path: "/metrics",
    ...(interval !== undefined && { interval }),
    // As the node exporter of kube-prometheus: alerts and the dashboard name nodes.
    relabelings: [{ sourceLabels: ["__meta_kubernetes_pod_node_name"], targetLabel: "instance", action: "replace" }],
    ...(tls && {
      scheme: "https",
      tlsConfig: {
        serverName: tls.serverName ?? pulumi.interpolate`${AGENT}.${namespace}.svc`,
        ca: { secret: { name: tls.secretName, key: "ca.crt" } },
      },
    }),
    ...(bearerTokenSecret && { authorization: { type: "Bearer", credentials: bearerTokenSecret } }),
  };
}

function dashboardConfigMap(
  name: string,
  { labels = { grafana_dashboard: "1" }, folder, ...given }: DashboardConfigMap,
  namespace: pulumi.Input<string>,
  opts: pulumi.ResourceOptions,
) {
  return new k8s.core.v1.ConfigMap(
    `${name}-dashboard`,
    {
      metadata: {
        name: `${AGENT}-dashboard`,
        namespace: given.namespace ?? namespace,
        labels: withOwn(labels, AGENT_LABELS),
        ...(folder !== undefined && { annotations: { grafana_folder: folder } }),
      },
      data: { [`${AGENT}.json`]: document("dashboard.json") },
    },
    opts,
  );
}

const document = (file: string): string =>
  readFileSync(join(packageRoot(), "components", "dataplane", "monitoring", file), "utf8");
