import type { V1Endpoint, V1EndpointSlice, V1Node, V1ObjectMeta, V1Pod, V1Service } from "@kubernetes/client-node";
import { AGENT } from "../../components/dataplane/names.ts";
import { findObject, listObjects } from "../../kubernetes/get.ts";
import { subjectNamespace } from "../../kubernetes/subject-namespace.ts";
import type { Api } from "../../kubernetes/transport.ts";
import type { Family } from "../../model/address/address.ts";
import { annotations } from "../../model/mode/mode.ts";
import { kinds, resourcePath } from "../../model/objects/kinds.ts";
import { type PodReference, podReference } from "../../probe/namespaces.ts";

/** The cluster's objects for a round of probes, read again for each round. */
export interface ClusterView {
  nodes: V1Node[];
  pods: V1Pod[];
  services: V1Service[];
  endpointSlices: V1EndpointSlice[];
  /** Namespace of the agents; no tenant's pod is taken for one of them. */
  agentNamespace: string;
  /** The return mode in `FelixConfiguration default` (`DSR`, `Tunnel`); undefined if there is none. */
  returnMode?: string;
  /** Its service handling (`Ebpf`, `KubeProxyIptables`, …). */
  serviceHandling?: string;
}

/** All lists in parallel. They may differ by a moment; the next round sees what this one missed. */
export async function readView(api: Api): Promise<ClusterView> {
  const [nodes, pods, services, endpointSlices, agentNamespace, configuration] = await Promise.all([
    listObjects<V1Node>(api, "/api/v1/nodes"),
    listObjects<V1Pod>(api, "/api/v1/pods"),
    listObjects<V1Service>(api, "/api/v1/services"),
    listObjects<V1EndpointSlice>(api, "/apis/discovery.k8s.io/v1/endpointslices"),
    agentNamespaceOf(api),
    readConfiguration(api),
  ]);
  return { nodes, pods, services, endpointSlices, agentNamespace, ...configuration };
}

/** What `FelixConfiguration default` says. */
export async function readConfiguration(api: Api): Promise<Pick<ClusterView, "returnMode" | "serviceHandling">> {
  const path = `${resourcePath(kinds.felixConfigurations)}/default`;
  const found = await findObject<FelixConfiguration>(api, path);
  // A cluster with another dataplane has no return mode.
  if (!found) return {};
  return {
    returnMode: found.spec?.bpfExternalServiceMode,
    serviceHandling: found.metadata?.annotations?.[annotations.serviceHandling],
  };
}

interface FelixConfiguration {
  metadata?: V1ObjectMeta;
  spec?: { bpfExternalServiceMode?: string };
}

/** `namespace/name`. */
export function podName({ metadata }: V1Pod): string {
  return `${metadata?.namespace}/${metadata?.name}`;
}

/** How a pod is identified for the prober of its node. */
export const referenceOf = (pod: V1Pod): PodReference => podReference(podName(pod), pod.metadata?.uid ?? "");

/** Every address of a node, in its own order. */
export function nodeAddresses(node: V1Node): string[] {
  return (node.status?.addresses ?? []).filter(({ type }) => type.endsWith("IP")).map(({ address }) => address);
}

export function podAddresses({ status }: V1Pod): string[] {
  const all = (status?.podIPs ?? []).flatMap(({ ip }) => ip ?? []);
  return all.length > 0 ? all : status?.podIP ? [status.podIP] : [];
}

/** Every address at which a service is reached from inside the cluster or announced outside. */
export function serviceAddresses({ spec, status }: V1Service): string[] {
  const cluster = spec?.clusterIPs ?? (spec?.clusterIP ? [spec.clusterIP] : []);
  const balancers = (status?.loadBalancer?.ingress ?? []).flatMap(({ ip }) => ip ?? []);
  return [...cluster.filter((address) => address !== "None"), ...(spec?.externalIPs ?? []), ...balancers];
}

/** The pods behind a service, ready or not: a terminating pod may still reply. */
export function podsBehind(view: ClusterView, service: V1Service): V1Pod[] {
  const targets = endpointsOf(view, service).flatMap(targetOf);
  return view.pods.filter((pod) => targets.includes(podName(pod)));
}

/** Names of those that take new connections. @param family of the address that is connected to; undefined: not known */
export function readyPodsBehind(view: ClusterView, service: V1Service, family?: Family): string[] {
  return endpointsOf(view, service, family)
    .filter(({ conditions }) => conditions?.ready !== false)
    .flatMap(targetOf);
}

function endpointsOf({ endpointSlices }: ClusterView, { metadata }: V1Service, family?: Family): V1Endpoint[] {
  return endpointSlices
    .filter(({ addressType }) => family === undefined || addressType === family)
    .filter((slice) => slice.metadata?.namespace === metadata?.namespace)
    .filter((slice) => slice.metadata?.labels?.["kubernetes.io/service-name"] === metadata?.name)
    .flatMap(({ endpoints }) => endpoints ?? []);
}

function targetOf({ targetRef }: V1Endpoint): string[] {
  return targetRef?.kind === "Pod" ? [`${targetRef.namespace}/${targetRef.name}`] : [];
}

type Agents = Pick<ClusterView, "pods" | "agentNamespace">;

/** Where a `Dataplane` has deployed its agents. */
export async function agentNamespaceOf(api: Api): Promise<string> {
  return (await subjectNamespace(api, AGENT)) ?? AGENT;
}

/** The dataplane's own pods on a node, in whatever state. */
export function agentsOn({ pods, agentNamespace }: Agents, node: string): V1Pod[] {
  return pods.filter(
    ({ metadata, spec }) =>
      metadata?.namespace === agentNamespace && metadata.labels?.["k8s-app"] === AGENT && spec?.nodeName === node,
  );
}

/** The one that runs. */
export function agentOn(view: Agents, node: string): V1Pod | undefined {
  return agentsOn(view, node).find(
    ({ metadata, status }) => status?.phase === "Running" && !metadata?.deletionTimestamp,
  );
}
