import type { V1Pod } from "@kubernetes/client-node";
import { listObjects } from "../kubernetes/get.ts";
import type { Api } from "../kubernetes/transport.ts";

/**
 * Whether a node is alive, and the API server's view of its pods is current. Conditions and leases of a removed machine look alive
 * for most of a minute, and a machine re-created under the same name inherits them. So this asks the kubelet, which only a
 * live node has: a container that is reported as running must run there, with the same ID.
 * @returns what does not match, in a few words
 */
export async function doubtAbout(api: Api, node: string): Promise<string | undefined> {
  const said = await listObjects<V1Pod>(api, "/api/v1/pods", { fieldSelector: `spec.nodeName=${node}` });
  const kubelet = `/api/v1/nodes/${node}/proxy`;
  let running: V1Pod[];
  let told: V1Pod[];
  try {
    [running, told] = await Promise.all([
      listObjects<V1Pod>(api, `${kubelet}/runningpods/`),
      listObjects<V1Pod>(api, `${kubelet}/pods`),
    ]);
  } catch {
    return `the kubelet of ${node} does not answer`;
  }
  const stale = staleAmong(said, running, told);
  return stale && `${node} does not run ${stale.metadata?.namespace}/${stale.metadata?.name} as the API server reports`;
}

/** Static pods are reported under another UID, and run independently of the API server. */
const MIRROR = "kubernetes.io/config.mirror";

/** A pod that does not run as the API server reports. */
export function staleAmong(said: V1Pod[], running: V1Pod[], told: V1Pod[]): V1Pod | undefined {
  const byId = (pods: V1Pod[]) => new Map(pods.map((pod) => [pod.metadata?.uid, pod]));
  const [runs, tells] = [byId(running), byId(told)];
  return said.find((pod) => {
    if (pod.metadata?.annotations?.[MIRROR]) return false;
    const containers = runs.get(pod.metadata?.uid)?.spec?.containers ?? [];
    const known = tells.get(pod.metadata?.uid)?.status?.containerStatuses ?? [];
    return (pod.status?.containerStatuses ?? [])
      .filter(({ state }) => state?.running)
      .some(({ name, containerID }) => {
        const runsThere = containers.some((container) => container.name === name);
        return !runsThere || !known.some((status) => status.containerID === containerID);
      });
  });
}
