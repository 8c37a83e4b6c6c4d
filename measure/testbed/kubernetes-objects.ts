import { POD_NETWORK } from "../../components/documents/defaults.ts";
import { CALICO_API } from "../../model/objects/kinds.ts";
// The Kubernetes objects of the benchmarks, as short as possible.

export interface KubernetesObject {
  apiVersion: string;
  kind: string;
  metadata: { name: string; namespace?: string; [field: string]: unknown };
  [field: string]: unknown;
}

/** API paths for creating objects of a kind. */
export function collectionPath({ apiVersion, kind, metadata }: KubernetesObject): string {
  const group = apiVersion.includes("/") ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
  const namespace = metadata.namespace ? `/namespaces/${metadata.namespace}` : "";
  return `${group}${namespace}/${kind.toLowerCase()}s`;
}

export const node = (name: string): KubernetesObject => ({
  apiVersion: "v1",
  kind: "Node",
  metadata: { name, labels: { "kubernetes.io/hostname": name } },
});

export const nodeStatus = (address: string) => ({ addresses: [{ type: "InternalIP", address }] });

export const pod = (name: string, on: string): KubernetesObject => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name, namespace: "default", labels: { app: name } },
  spec: { nodeName: on, containers: [{ name: "main", image: "none", ports: [{ containerPort: 80 }] }] },
});

/** One network for all pods; each node takes blocks of 64 addresses. */
export const ipPool = (vxlanMode: "Always" | "CrossSubnet"): KubernetesObject => ({
  apiVersion: CALICO_API,
  kind: "IPPool",
  metadata: { name: "default-ipv4-ippool" },
  spec: { cidr: POD_NETWORK, blockSize: 26, vxlanMode, natOutgoing: false },
});

/** CRDs that the agent needs; the Dataplane component installs them with their full schemas. */
export const agentKinds: readonly KubernetesObject[] = [
  definition("projectcalico.org", "v3", "IPPool"),
  definition("ebpf-dataplane.io", "v1alpha1", "IPAMBlock"),
];

function definition(group: string, version: string, kind: string): KubernetesObject {
  const singular = kind.toLowerCase();
  const anything = { type: "object", "x-kubernetes-preserve-unknown-fields": true };
  return {
    apiVersion: "apiextensions.k8s.io/v1",
    kind: "CustomResourceDefinition",
    metadata: { name: `${singular}s.${group}` },
    spec: {
      group,
      scope: "Cluster",
      names: { kind, listKind: `${kind}List`, plural: `${singular}s`, singular },
      versions: [{ name: version, served: true, storage: true, schema: { openAPIV3Schema: anything } }],
    },
  };
}

/** A service: a cluster IP at port 80 and endpoints. */
export interface ServiceDescription {
  readonly name: string;
  readonly clusterIP: string;
  /** Addresses that answer at port 80; the node only of pods. */
  readonly backends: readonly { readonly address: string; readonly node?: string; readonly ready?: boolean }[];
  /** Which of its EndpointSlices has them, 1 by default; from the second on they have the label `part`, by which they can be removed. */
  readonly part?: number;
}

export const service = ({ name, clusterIP }: ServiceDescription): KubernetesObject => ({
  apiVersion: "v1",
  kind: "Service",
  metadata: { name, namespace: "default" },
  spec: { clusterIP, ports: [{ name: "web", protocol: "TCP", port: 80, targetPort: 80 }] },
});

export const endpointSlice = ({ name, backends, part = 1 }: ServiceDescription): KubernetesObject => ({
  apiVersion: "discovery.k8s.io/v1",
  kind: "EndpointSlice",
  metadata: {
    name: `${name}-${part}`,
    namespace: "default",
    labels: { "kubernetes.io/service-name": name, ...(part > 1 && { part: String(part) }) },
  },
  addressType: "IPv4",
  ports: [{ name: "web", protocol: "TCP", port: 80 }],
  endpoints: backends.map(({ address, node: nodeName, ready = true }) => ({
    addresses: [address],
    ...(nodeName && { nodeName }),
    conditions: { ready, serving: ready, terminating: false },
  })),
});

/** The nth cluster IP of the benchmarks, from 10.97.0.0/16. */
export const clusterIP = (index: number): string => `10.97.${index >> 8}.${index & 255}`;
