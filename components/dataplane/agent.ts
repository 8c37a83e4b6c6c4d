import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { SETTINGS_DIRECTORY } from "../documents/agent-settings.ts";
import type { ApiServerAddress } from "../machine/machine.ts";
import type { AgentPods } from "./agent-pods-args.ts";
import { agentResources } from "./agent-resources.ts";
import { MetricsAddress } from "./args.ts";
import { MALLOC_VARIABLES } from "./heap.ts";
import { monitoredPod } from "./monitoring/agent.ts";
import type { Monitoring } from "./monitoring/args.ts";
import { AGENT, AGENT_LABELS, AGENT_PORTS } from "./names.ts";
import { NODE_MOUNTS, NODE_VOLUMES } from "./node-volumes.ts";
import { podPlacement, withOwn } from "./pod-placement.ts";
import { NODE_RIGHTS } from "./rights.ts";

/** What the DaemonSet is created from. */
export interface AgentDeployment {
  namespace: pulumi.Input<string>;
  serviceAccount: pulumi.Input<string>;
  settings: pulumi.Input<string>;
  /** Hash of the settings. The agent reads them once, so new settings replace its pods. */
  settingsDigest: pulumi.Input<string>;
  image: pulumi.Input<string>;
  /** Hash of the image: if a tag was built again, the pods are replaced. */
  imageDigest: pulumi.Input<string>;
  /** The agent makes Services work, so it cannot use the `kubernetes` Service to find the API server. */
  apiServer: pulumi.Input<ApiServerAddress>;
  metricsAddress: MetricsAddress | undefined;
  monitoring: Monitoring | undefined;
  pods: AgentPods;
}

/** One agent per node, replaced node by node. */
export function agentDaemonSet(name: string, agent: AgentDeployment, opts: pulumi.CustomResourceOptions) {
  const { namespace, settingsDigest, imageDigest, pods } = agent;
  const labels = withOwn(pods.labels, AGENT_LABELS);
  const annotations = withOwn(pods.annotations, {
    "ebpf-dataplane.io/image-digest": imageDigest,
    "ebpf-dataplane.io/settings-digest": settingsDigest,
  });
  return new k8s.apps.v1.DaemonSet(
    `${name}-daemonset`,
    {
      metadata: { name: AGENT, namespace, labels, ...(pods.annotations && { annotations: pods.annotations }) },
      spec: {
        selector: { matchLabels: AGENT_LABELS },
        updateStrategy: {
          type: "RollingUpdate",
          rollingUpdate: { maxUnavailable: 1, ...pods.updateStrategy?.rollingUpdate },
        },
        template: { metadata: { labels, annotations }, spec: podSpec(agent) },
      },
    },
    // Two agents cannot run on one node, so the pods in the former namespace are deleted first.
    { ...opts, deleteBeforeReplace: true },
  );
}

function podSpec(agent: AgentDeployment): k8s.types.input.core.v1.PodSpec {
  return {
    hostNetwork: true,
    serviceAccountName: agent.serviceAccount,
    ...podPlacement(agent.pods),
    terminationGracePeriodSeconds: 10,
    containers: [container(agent)],
    volumes: [
      { name: "settings", configMap: { name: agent.settings } },
      ...monitoredPod(agent.monitoring).volumes,
      ...NODE_VOLUMES,
    ],
  };
}

/** Agents serve metrics on loopback by default; the kubelet fills in HOST_IP. */
const METRICS_ARGS: Record<MetricsAddress, string[]> = {
  [MetricsAddress.Loopback]: [],
  [MetricsAddress.Node]: ["--metrics-address", "$(HOST_IP)"],
  [MetricsAddress.Any]: ["--metrics-address", "any"],
};

function container(agent: AgentDeployment): k8s.types.input.core.v1.Container {
  const { image, apiServer, metricsAddress, pods } = agent;
  const { resources, nodeOptions } = agentResources(pods.resources);
  const monitored = monitoredPod(agent.monitoring);
  return {
    name: "agent",
    image,
    imagePullPolicy: "IfNotPresent",
    args: ["agent", ...METRICS_ARGS[metricsAddress ?? MetricsAddress.Loopback], ...monitored.args],
    ...(monitored.ports.length > 0 && { ports: monitored.ports }),
    securityContext: NODE_RIGHTS,
    env: [
      { name: "NODE_NAME", valueFrom: { fieldRef: { fieldPath: "spec.nodeName" } } },
      { name: "HOST_IP", valueFrom: { fieldRef: { fieldPath: "status.hostIP" } } },
      { name: "POD_NAME", valueFrom: { fieldRef: { fieldPath: "metadata.name" } } },
      { name: "NODE_OPTIONS", value: nodeOptions },
      ...Object.entries(MALLOC_VARIABLES).map(([name, value]) => ({ name, value })),
      { name: "POD_NAMESPACE", valueFrom: { fieldRef: { fieldPath: "metadata.namespace" } } },
      { name: "KUBERNETES_SERVICE_HOST", value: pulumi.output(apiServer).apply((server) => server.host) },
      { name: "KUBERNETES_SERVICE_PORT", value: pulumi.output(apiServer).apply((server) => `${server.port}`) },
    ],
    resources,
    readinessProbe: { ...healthProbe("/ready"), periodSeconds: 2, failureThreshold: 3 },
    livenessProbe: { ...healthProbe("/live"), initialDelaySeconds: 10, periodSeconds: 10, failureThreshold: 6 },
    volumeMounts: [
      { name: "settings", mountPath: SETTINGS_DIRECTORY, readOnly: true },
      ...monitored.volumeMounts,
      ...NODE_MOUNTS,
    ],
  };
}

function healthProbe(path: string) {
  return { httpGet: { host: "127.0.0.1", port: AGENT_PORTS.health, path }, timeoutSeconds: 3 };
}
