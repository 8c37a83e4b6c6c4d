import { ApiRefusal, reasonOf } from "../kubernetes/errors.ts";
import { getObject } from "../kubernetes/get.ts";
import type { Api } from "../kubernetes/transport.ts";
import { ClusterFailure } from "./failure.ts";

/** The variable by which Pulumi's Kubernetes provider is told the same. */
const GONE_VARIABLE = "PULUMI_K8S_DELETE_UNREACHABLE";

/** What tells a cluster from every other, whatever its names and addresses: the identity of its namespace kube-system. */
export async function clusterIdOf(api: Api): Promise<string> {
  try {
    const { metadata } = await getObject<{ metadata?: { uid?: string } }>(api, "/api/v1/namespaces/kube-system");
    return metadata?.uid ?? "";
  } catch (error) {
    throw new ClusterFailure(
      `the cluster of this kubeconfig (${api.server}) cannot be read: ${reasonOf(error)}`,
      "try kubectl --kubeconfig FILE get namespace kube-system from here; a cluster that is gone for good: set " +
        `${GONE_VARIABLE}=true when destroying`,
      error,
    );
  }
}

/** The cluster of a command's result of before, as a deployment hands it over; undefined where there is none. */
export function clusterIdBefore(previous = process.env.PULUMI_COMMAND_STDOUT): string | undefined {
  if (!previous) return undefined;
  try {
    return (JSON.parse(previous) as { clusterId?: string }).clusterId;
  } catch {
    return undefined;
  }
}

/** Refuses to touch a cluster that is not the one that was meant. */
export function requireCluster(found: string, expected: string | undefined): void {
  if (expected === undefined || expected === found) return;
  throw new ClusterFailure(
    `this kubeconfig is of the cluster ${found}, but the stack is on ${expected}`,
    `give the kubeconfig of that cluster; a stack moves by destroying it there first, or by saying clusterId: "${found}"`,
  );
}

/**
 * The cluster's identity; undefined when nobody answers and that was said to be expected: a cluster that is gone has nothing to be
 * put back in order.
 */
export async function clusterIfThere(api: Api): Promise<string | undefined> {
  try {
    return await clusterIdOf(api);
  } catch (error) {
    if (process.env[GONE_VARIABLE] === "true" && !((error as Error).cause instanceof ApiRefusal)) return undefined;
    throw error;
  }
}
