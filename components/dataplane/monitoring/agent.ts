import type * as k8s from "@pulumi/kubernetes";
import type { MetricsAccess, Monitoring } from "./args.ts";
import { METRICS_PORT } from "./objects.ts";

type Container = k8s.types.input.core.v1.Container;
type Volume = k8s.types.input.core.v1.Volume;

const FOLDER = "/etc/ebpf-dataplane-metrics";

/** Monitoring must not prevent agents from starting: if the Secret is missing, only the metrics are unavailable. */
const secret = (given: object): { secret: object } => ({ secret: { ...given, optional: true, defaultMode: 0o400 } });

/** Additions to the agents' pods where they are monitored. */
export function monitoredPod({ access, ...objects }: Monitoring = {}) {
  const { tls, bearerTokenSecret: token } = access ?? ({} as MetricsAccess);
  const scraped = objects.service ?? objects.podMonitor ?? objects.serviceMonitor;
  const volumes: Volume[] = [
    ...(tls ? [{ name: "metrics-tls", ...secret({ secretName: tls.secretName }) }] : []),
    ...(token
      ? [{ name: "metrics-token", ...secret({ secretName: token.name, items: [{ key: token.key, path: "token" }] }) }]
      : []),
  ];
  return {
    args: [
      ...(tls ? ["--metrics-tls", `${FOLDER}/tls`] : []),
      ...(token ? ["--metrics-token", `${FOLDER}/token/token`] : []),
    ],
    ports: scraped ? [METRICS_PORT] : ([] as NonNullable<Container["ports"]> & object[]),
    volumes,
    volumeMounts: [
      ...(tls ? [{ name: "metrics-tls", mountPath: `${FOLDER}/tls`, readOnly: true }] : []),
      ...(token ? [{ name: "metrics-token", mountPath: `${FOLDER}/token`, readOnly: true }] : []),
    ],
  };
}
