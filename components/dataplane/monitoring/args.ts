import type * as pulumi from "@pulumi/pulumi";

/** A key of a Secret. */
export interface SecretKey {
  /** Name of the Secret. */
  name: pulumi.Input<string>;
  /** The key. */
  key: pulumi.Input<string>;
}

/** A certificate for the agents' metrics, as cert-manager keeps it: a Secret with `tls.crt`, `tls.key` and, for the scraping client,
 * `ca.crt`. */
export interface MetricsTls {
  /** Name of the Secret, in the agents' namespace, and in that of the PodMonitor or ServiceMonitor. A new certificate counts within a minute or two, without a restart. */
  secretName: pulumi.Input<string>;
  /** The name that the certificate is for: agents are scraped by their addresses. Defaults to "ebpf-dataplane.NAMESPACE.svc". */
  serverName?: pulumi.Input<string>;
}

/** The clients to which the agents serve their metrics. */
export interface MetricsAccess {
  /** By HTTPS, with this certificate. While it is missing no metrics are served. Defaults to plain HTTP. */
  tls?: MetricsTls;
  /**
   * Only to clients that send this token (`Authorization: Bearer …`), beside `tls`. The Secret is in the agents' namespace, and in that of the PodMonitor
   * or ServiceMonitor. Defaults to every client that reaches `metricsAddress`.
   */
  bearerTokenSecret?: SecretKey;
}

/** A Service of the agents' metrics: headless, with the port "metrics". */
export interface MetricsService {
  /** Labels, beside "k8s-app". Defaults to none. */
  labels?: pulumi.Input<Record<string, pulumi.Input<string>>>;
  /** Annotations. Defaults to none. */
  annotations?: pulumi.Input<Record<string, pulumi.Input<string>>>;
}

/** A PodMonitor or ServiceMonitor of the Prometheus Operator. */
export interface MetricsMonitor {
  /** Labels by which a Prometheus chooses it, such as `release: kube-prometheus-stack`. Defaults to none beside "k8s-app". */
  labels?: pulumi.Input<Record<string, pulumi.Input<string>>>;
  /** Its namespace, which must exist. Defaults to the agents' namespace. */
  namespace?: pulumi.Input<string>;
  /** How often metrics are scraped, such as "30s". Defaults to what Prometheus is set to. */
  interval?: pulumi.Input<string>;
}

/** A PrometheusRule of the Prometheus Operator, with the alerts of docs/metrics.md. */
export interface AlertRules {
  /** Labels by which a Prometheus chooses it, such as `release: kube-prometheus-stack`. Defaults to none beside "k8s-app". */
  labels?: pulumi.Input<Record<string, pulumi.Input<string>>>;
  /** Its namespace, which must exist. Defaults to the agents' namespace. */
  namespace?: pulumi.Input<string>;
}

/** A ConfigMap with the dashboard, which the sidecar of Grafana loads. */
export interface DashboardConfigMap {
  /** Its namespace, which must exist. Defaults to the agents' namespace. */
  namespace?: pulumi.Input<string>;
  /** Labels by which the sidecar finds it. Defaults to `grafana_dashboard: "1"`. */
  labels?: pulumi.Input<Record<string, pulumi.Input<string>>>;
  /** Grafana's folder: the annotation `grafana_folder`, which the sidecar follows if its `folderAnnotation` says so. Defaults to none. */
  folder?: pulumi.Input<string>;
}

/** How Prometheus and Grafana get the agents' metrics. */
export interface Monitoring {
  /** The clients to which agents serve their metrics. */
  access?: MetricsAccess;
  /** A Service, for a Prometheus that finds Services. Defaults to none, or with `serviceMonitor` to one. */
  service?: MetricsService;
  /** A PodMonitor. Not with `serviceMonitor`. Defaults to none. */
  podMonitor?: MetricsMonitor;
  /** A ServiceMonitor. Not with `podMonitor`. Defaults to none. */
  serviceMonitor?: MetricsMonitor;
  /** Alerts. Defaults to none. */
  prometheusRule?: AlertRules;
  /** The dashboard. Defaults to none. */
  dashboards?: DashboardConfigMap;
}
