import { createHash } from "node:crypto";
import type * as k8s from "@pulumi/kubernetes";
import type * as pulumi from "@pulumi/pulumi";
import type { AgentPods } from "./agent-pods-args.ts";
import { ServiceHandling } from "./args.ts";
import { KUBE_PROXY_LABELS } from "./kube-proxy-pod.ts";
import { podPlacement } from "./pod-placement.ts";
import { PACKET_FILTER_RIGHTS } from "./rights.ts";

const NAME = "kube-proxy";
const CONFIGURATION_FILE = "config.conf";

/** What kube-proxy is created from. */
export interface KubeProxyOptions {
  namespace: pulumi.Input<string>;
  image: pulumi.Input<string>;
  /** Never the Service `kubernetes`: kube-proxy is what makes it work. */
  apiServer: { host: pulumi.Input<string>; port: pulumi.Input<string> };
  /** kube-proxy runs on the same nodes as agents. */
  pods?: AgentPods;
}

/** kube-proxy's Kubernetes objects as plain manifests, in the order in which they are applied. */
export interface KubeProxyObjects {
  serviceAccount: k8s.types.input.core.v1.ServiceAccount;
  binding: k8s.types.input.rbac.v1.ClusterRoleBinding;
  configMap: k8s.types.input.core.v1.ConfigMap;
  daemonSet: k8s.types.input.apps.v1.DaemonSet;
}

/** `mode` of a KubeProxyConfiguration, and a sign that its rules are written: kube-proxy reports itself healthy before that. */
const MODES = {
  [ServiceHandling.KubeProxyIptables]: {
    mode: "iptables",
    written: ["iptables", "--wait", "--table", "nat", "--numeric", "--list", "KUBE-POSTROUTING"],
  },
  [ServiceHandling.KubeProxyNftables]: {
    mode: "nftables",
    written: ["nft", "list", "chain", "ip", "kube-proxy", "services"],
  },
};

/** The ways of handling services that need kube-proxy. */
export type KubeProxyMode = keyof typeof MODES;

export function isKubeProxyMode(handling: ServiceHandling): handling is KubeProxyMode {
  return handling in MODES;
}

/** The real kube-proxy on every node, beside the agent. The same input gives the same manifests; a function and not resources,
 * so that a running cluster can be switched without the program that made it. */
export function kubeProxyObjects(mode: KubeProxyMode, options: KubeProxyOptions): KubeProxyObjects {
  const metadata = { name: NAME, namespace: options.namespace, labels: KUBE_PROXY_LABELS };
  const configuration = kubeProxyConfiguration(mode);
  return {
    serviceAccount: { apiVersion: "v1", kind: "ServiceAccount", metadata },
    binding: {
      apiVersion: "rbac.authorization.k8s.io/v1",
      kind: "ClusterRoleBinding",
      // Kubernetes itself provides the role of kube-proxies; kubeadm's binding covers only kubeadm's own kube-proxy.
      metadata: { name: "ebpf-dataplane-kube-proxy", labels: KUBE_PROXY_LABELS },
      roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: "system:node-proxier" },
      subjects: [{ kind: "ServiceAccount", name: NAME, namespace: options.namespace }],
    },
    configMap: { apiVersion: "v1", kind: "ConfigMap", metadata, data: { [CONFIGURATION_FILE]: configuration } },
    daemonSet: {
      apiVersion: "apps/v1",
      kind: "DaemonSet",
      metadata,
      spec: {
        selector: { matchLabels: KUBE_PROXY_LABELS },
        updateStrategy: { type: "RollingUpdate", rollingUpdate: { maxUnavailable: 1 } },
        template: {
          metadata: {
            labels: KUBE_PROXY_LABELS,
            annotations: { "ebpf-dataplane.io/configuration-digest": digest(configuration) },
          },
          spec: podSpec(mode, options),
        },
      },
    },
  };
}

/** JSON is valid YAML. Everything that is not set here has kube-proxy's own default. */
function kubeProxyConfiguration(mode: KubeProxyMode): string {
  const configuration = {
    apiVersion: "kubeproxy.config.k8s.io/v1alpha1",
    kind: "KubeProxyConfiguration",
    mode: MODES[mode].mode,
    // Pods of this node are recognized by the agent's interfaces, whatever their pools are.
    detectLocalMode: "InterfaceNamePrefix",
    detectLocal: { interfaceNamePrefix: "ebpf" },
    // The node's own settings of connection tracking are not changed.
    conntrack: { maxPerCore: 0, tcpEstablishedTimeout: "0s", tcpCloseWaitTimeout: "0s" },
    iptables: { localhostNodePorts: false },
    metricsBindAddress: "127.0.0.1:10249",
    healthzBindAddress: "127.0.0.1:10256",
  };
  return JSON.stringify(configuration, null, 2);
}

/** Programs that write iptables use this file as a lock. */
const XTABLES_LOCK = { name: "xtables-lock", mountPath: "/run/xtables.lock" };

/** The kernel holds kube-proxy's rules; with 10,000 services the process itself takes some 300 MiB. */
const RESOURCES = { requests: { cpu: "50m", memory: "64Mi" }, limits: { memory: "1Gi" } };

function podSpec(
  mode: KubeProxyMode,
  { image, apiServer, pods = {} }: KubeProxyOptions,
): k8s.types.input.core.v1.PodSpec {
  return {
    hostNetwork: true,
    serviceAccountName: NAME,
    ...podPlacement(pods),
    terminationGracePeriodSeconds: 5,
    // If another kube-proxy left its tables, nftables mode writes its own tables without content and reports no error.
    initContainers: [
      {
        name: "clean",
        image,
        imagePullPolicy: "IfNotPresent",
        command: [NAME, "--cleanup"],
        securityContext: PACKET_FILTER_RIGHTS,
        resources: RESOURCES,
        volumeMounts: [XTABLES_LOCK],
      },
    ],
    containers: [
      {
        name: NAME,
        image,
        imagePullPolicy: "IfNotPresent",
        command: [NAME, `--config=/etc/kube-proxy/${CONFIGURATION_FILE}`, "--hostname-override=$(NODE_NAME)"],
        securityContext: PACKET_FILTER_RIGHTS,
        resources: RESOURCES,
        env: [
          { name: "NODE_NAME", valueFrom: { fieldRef: { fieldPath: "spec.nodeName" } } },
          { name: "KUBERNETES_SERVICE_HOST", value: apiServer.host },
          { name: "KUBERNETES_SERVICE_PORT", value: apiServer.port },
        ],
        readinessProbe: { exec: { command: MODES[mode].written }, periodSeconds: 1, timeoutSeconds: 5 },
        volumeMounts: [{ name: "configuration", mountPath: "/etc/kube-proxy", readOnly: true }, XTABLES_LOCK],
      },
    ],
    volumes: [
      { name: "configuration", configMap: { name: NAME } },
      { name: "xtables-lock", hostPath: { path: "/run/xtables.lock", type: "FileOrCreate" } },
    ],
  };
}

function digest(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
