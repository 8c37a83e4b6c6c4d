import { ApiRefusal, KubernetesError, reasonOf } from "../kubernetes/errors.ts";
import { getObject } from "../kubernetes/get.ts";
import type { Api } from "../kubernetes/transport.ts";
import { ClusterFailure } from "./failure.ts";

/** Pulumi's Kubernetes provider uses the same variable. */
const GONE_VARIABLE = "PULUMI_K8S_DELETE_UNREACHABLE";

/** The cluster's identity, independent of names and addresses: the UID of its namespace kube-system. */
export async function clusterIdOf(api: Api): Promise<string> {
  try {
    const { metadata } = await getObject<{ metadata?: { uid?: string } }>(api, "/api/v1/namespaces/kube-system");
    return metadata?.uid ?? "";
  } catch (error) {
    throw new ClusterFailure(
      `the cluster of this kubeconfig (${api.server}) cannot be read: ${reasonOf(error)}`,
      `${stepAfter(error)}; if the cluster no longer exists, set ${GONE_VARIABLE}=true when destroying`,
      error,
    );
  }
}

const stepAfter = (error: unknown): string =>
  (error instanceof KubernetesError && error.next) ||
  "try kubectl --kubeconfig FILE get namespace kube-system from here";

/** The cluster in a command's previous output, as a deployment passes it; undefined if there is none. */
export function clusterIdBefore(previous = process.env.PULUMI_COMMAND_STDOUT): string | undefined {
  if (!previous) return undefined;
  try {
    return (JSON.parse(previous) as { clusterId?: string }).clusterId;
  } catch {
    return undefined;
  }
}

/** Refuses to change any cluster but the expected one. */
export function requireCluster(found: string, expected: string | undefined): void {
  if (expected === undefined || expected === found) return;
  throw new ClusterFailure(
    `this kubeconfig is for the cluster ${found}, but the stack is on ${expected}`,
    `use the kubeconfig of that cluster; to move the stack, destroy it there first, or set clusterId: "${found}"`,
  );
}

/**
 * The cluster's identity; undefined when the API server does not answer and that was declared as expected: a deleted cluster
 * needs no cleanup.
 */
export async function clusterIfThere(api: Api): Promise<string | undefined> {
  try {
    return await clusterIdOf(api);
  } catch (error) {
    if (process.env[GONE_VARIABLE] === "true" && !((error as Error).cause instanceof ApiRefusal)) return undefined;
    throw error;
  }
}
