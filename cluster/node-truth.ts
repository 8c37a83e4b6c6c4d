import type { V1Pod } from "@kubernetes/client-node";
import { listObjects } from "../kubernetes/get.ts";
import type { Api } from "../kubernetes/transport.ts";

/**
 * Whether a node lives, and what the API server says of its pods is so. Conditions and leases of a machine that was taken away look alive
 * for most of a minute, and one that is made anew under the same name inherits them. So its kubelet is asked, which only a
 * living node has: a container that is said to run must run there, and be the one that the kubelet has told of.
 * @returns what is not so, in a few words
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
    return `nothing is heard from ${node}`;
  }
  const stale = staleAmong(said, running, told);
  return stale && `${node} does not run ${stale.metadata?.namespace}/${stale.metadata?.name} as the API server says`;
}

/** Static pods are told of under another identity, and run whatever the API server says. */
const MIRROR = "kubernetes.io/config.mirror";

/** A pod of which the API server says more than is so. */
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
