import {
  ApiextensionsV1Api,
  ApiregistrationV1Api,
  AppsV1Api,
  AuthorizationV1Api,
  CoreV1Api,
  type KubeConfig,
  type V1CustomResourceDefinition,
  type V1DaemonSet,
  type V1Node,
  type V1Pod,
  type V1Service,
  VersionApi,
} from "@kubernetes/client-node";
import type { NodeReport } from "../../agent/features/report.ts";
import { ClusterFailure } from "../failure.ts";
import { apiWords, isNotFound } from "../kubeconfig.ts";

/** What is known of a cluster before anything is changed. */
export interface ClusterFacts {
  /** Identity of the namespace kube-system. */
  clusterId: string;
  /** The API server's release. */
  version: string;
  nodes: V1Node[];
  daemonSets: V1DaemonSet[];
  /** The first thousand. */
  pods: V1Pod[];
  services: V1Service[];
  /** Custom resource definitions, of anybody. */
  definitions: V1CustomResourceDefinition[];
  /** Whether another API server answers for the kinds of Calico. */
  calicoApiServer: boolean;
  /** What this kubeconfig may not do, like `create daemonsets.apps`. */
  denied: string[];
  /** What nodes say of themselves, by name; a text says why one said nothing. */
  reports: Map<string, NodeReport | string>;
}

/** What a deployment makes first and could not do without. */
const RIGHTS = [
  { verb: "create", resource: "namespaces" },
  { verb: "create", resource: "customresourcedefinitions", group: "apiextensions.k8s.io" },
  { verb: "create", resource: "clusterroles", group: "rbac.authorization.k8s.io" },
  { verb: "create", resource: "clusterrolebindings", group: "rbac.authorization.k8s.io" },
  { verb: "create", resource: "validatingadmissionpolicies", group: "admissionregistration.k8s.io" },
  { verb: "create", resource: "daemonsets", group: "apps", namespace: "ebpf-dataplane" },
  { verb: "create", resource: "pods", namespace: "kube-system" },
];

/** Asks the API server only; the nodes are asked by others. */
export async function readFacts(config: KubeConfig, clusterId: string): Promise<ClusterFacts> {
  const core = config.makeApiClient(CoreV1Api);
  try {
    const [version, nodes, daemonSets, pods, services, definitions, calicoApiServer, denied] = await Promise.all([
      config.makeApiClient(VersionApi).getCode(),
      core.listNode(),
      config.makeApiClient(AppsV1Api).listDaemonSetForAllNamespaces(),
      core.listPodForAllNamespaces({ limit: 1000 }),
      core.listServiceForAllNamespaces(),
      config.makeApiClient(ApiextensionsV1Api).listCustomResourceDefinition(),
      hasCalicoApiServer(config),
      deniedRights(config),
    ]);
    return {
      clusterId,
      version: version.gitVersion,
      nodes: nodes.items,
      daemonSets: daemonSets.items,
      pods: pods.items,
      services: services.items,
      definitions: definitions.items,
      calicoApiServer,
      denied,
      reports: new Map(),
    };
  } catch (error) {
    throw new ClusterFailure(
      `the cluster cannot be read: ${apiWords(error)}`,
      "give a kubeconfig of somebody who may read nodes, daemonsets, pods and services of all namespaces, and customresourcedefinitions",
    );
  }
}

async function hasCalicoApiServer(config: KubeConfig): Promise<boolean> {
  try {
    const { spec } = await config.makeApiClient(ApiregistrationV1Api).readAPIService({ name: "v3.projectcalico.org" });
    return spec?.service !== undefined;
  } catch (error) {
    if (isNotFound(error)) return false;
    throw error;
  }
}

async function deniedRights(config: KubeConfig): Promise<string[]> {
  const api = config.makeApiClient(AuthorizationV1Api);
  const asked = RIGHTS.map(async (resourceAttributes) => {
    const { status } = await api.createSelfSubjectAccessReview({ body: { spec: { resourceAttributes } } });
    const { verb, resource, group } = resourceAttributes;
    return status?.allowed ? [] : [`${verb} ${group ? `${resource}.${group}` : resource}`];
  });
  return (await Promise.all(asked)).flat();
}
