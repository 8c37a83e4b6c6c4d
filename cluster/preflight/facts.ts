import type {
  V1CustomResourceDefinition,
  V1DaemonSet,
  V1Namespace,
  V1Node,
  V1Pod,
  V1Service,
} from "@kubernetes/client-node";
import type { NodeReport } from "../../agent/features/report.ts";
import { AGENT } from "../../components/dataplane/names.ts";
import { createObject } from "../../kubernetes/create.ts";
import { reasonOf } from "../../kubernetes/errors.ts";
import { findObject, getObject, listObjects } from "../../kubernetes/get.ts";
import { subjectNamespace } from "../../kubernetes/subject-namespace.ts";
import type { Api } from "../../kubernetes/transport.ts";
import { ClusterFailure } from "../failure.ts";

/** Facts about a cluster, read before anything is changed. */
export interface ClusterFacts {
  /** UID of the namespace kube-system. */
  clusterId: string;
  /** The API server's release. */
  version: string;
  nodes: V1Node[];
  daemonSets: V1DaemonSet[];
  /** Where agents are now, or would be without a word about it. */
  agentNamespace: string;
  /** Whether an administrator has given agents their rights: a label of a namespace proves nothing. */
  isDeployed: boolean;
  /** The namespace where the plan has them; undefined: it does not exist. */
  namespace: V1Namespace | undefined;
  /** The first thousand. */
  pods: V1Pod[];
  services: V1Service[];
  /** Custom resource definitions of any owner. */
  definitions: V1CustomResourceDefinition[];
  /** Whether an aggregated API server serves the kinds of Calico. */
  calicoApiServer: boolean;
  /** Actions that this kubeconfig may not perform, for example `create daemonsets.apps`. */
  denied: string[];
  /** The nodes' reports, by name; a string is the reason why a report is missing. */
  reports: Map<string, NodeReport | string>;
}

/** Objects that every deployment creates first. */
const rightsIn = (namespace: string) => [
  { verb: "create", resource: "namespaces" },
  { verb: "create", resource: "customresourcedefinitions", group: "apiextensions.k8s.io" },
  { verb: "create", resource: "clusterroles", group: "rbac.authorization.k8s.io" },
  { verb: "create", resource: "clusterrolebindings", group: "rbac.authorization.k8s.io" },
  { verb: "create", resource: "validatingadmissionpolicies", group: "admissionregistration.k8s.io" },
  { verb: "create", resource: "daemonsets", group: "apps", namespace },
  { verb: "create", resource: "pods", namespace: "kube-system" },
];

/** Reads from the API server only; see ask-nodes.ts for the nodes. */
export async function readFacts(api: Api, clusterId: string, namespace: string): Promise<ClusterFacts> {
  try {
    const [version, nodes, daemonSets, pods, services, definitions, calicoApiServer, denied, of] = await Promise.all([
      getObject<{ gitVersion: string }>(api, "/version"),
      listObjects<V1Node>(api, "/api/v1/nodes"),
      listObjects<V1DaemonSet>(api, "/apis/apps/v1/daemonsets"),
      listObjects<V1Pod>(api, "/api/v1/pods", { limit: "1000" }),
      listObjects<V1Service>(api, "/api/v1/services"),
      listObjects<V1CustomResourceDefinition>(api, "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"),
      hasCalicoApiServer(api),
      deniedRights(api, namespace),
      subjectNamespace(api, AGENT),
    ]);
    return {
      clusterId,
      version: version.gitVersion,
      nodes,
      daemonSets,
      agentNamespace: of ?? AGENT,
      isDeployed: of !== undefined,
      namespace: await findObject<V1Namespace>(api, `/api/v1/namespaces/${namespace}`),
      pods,
      services,
      definitions,
      calicoApiServer,
      denied,
      reports: new Map(),
    };
  } catch (error) {
    throw new ClusterFailure(
      `the cluster cannot be read: ${reasonOf(error)}`,
      "use a kubeconfig that may read nodes, daemonsets, pods and services of all namespaces, and customresourcedefinitions",
    );
  }
}

async function hasCalicoApiServer(api: Api): Promise<boolean> {
  const path = "/apis/apiregistration.k8s.io/v1/apiservices/v3.projectcalico.org";
  const found = await findObject<{ spec?: { service?: object | null } }>(api, path);
  return Boolean(found?.spec?.service);
}

async function deniedRights(api: Api, namespace: string): Promise<string[]> {
  const path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";
  const asked = rightsIn(namespace).map(async (resourceAttributes) => {
    const body = {
      apiVersion: "authorization.k8s.io/v1",
      kind: "SelfSubjectAccessReview",
      spec: { resourceAttributes },
    };
    const { status } = await createObject<{ status?: { allowed?: boolean } }>(api, path, body);
    const { verb, resource, group } = resourceAttributes;
    return status?.allowed ? [] : [`${verb} ${group ? `${resource}.${group}` : resource}`];
  });
  return (await Promise.all(asked)).flat();
}
