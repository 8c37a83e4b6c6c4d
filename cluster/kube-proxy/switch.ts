// Takes the cluster's own kube-proxy off the nodes, and puts it back.
//
// The DaemonSet and its configuration stay where they are: one more key in the DaemonSet's node selector, which no node has, is all
// that changes. So nothing has to be kept to bring it back, whatever becomes of a deployment's state, and kubectl shows why no pod runs.
import { AppsV1Api, type KubeConfig, PatchStrategy, setHeaderOptions, type V1DaemonSet } from "@kubernetes/client-node";
import { ClusterFailure } from "../failure.ts";
import { apiWords } from "../kubeconfig.ts";
import { type Clock, realClock, until } from "../patience.ts";
import { type KubeProxyDaemonSet, kubeProxyDaemonSets, REMOVED_KEY, REMOVED_VALUE } from "./find.ts";

/** Seconds for its pods to go, or to come back on every node. */
const SECONDS = 300;

/** @returns the DaemonSets that are off the nodes now */
export async function removeKubeProxy(
  config: KubeConfig,
  say: (line: string) => void,
  clock?: Clock,
): Promise<string[]> {
  const found = await find(config);
  if (found.length === 0) say("there is no kube-proxy to remove");
  return change(config, found, REMOVED_VALUE, ({ status }) => status?.currentNumberScheduled ?? 0, say, clock);
}

/** Waits until its pods run on every node again: only then may the dataplane go. @returns the DaemonSets that are back */
export async function restoreKubeProxy(
  config: KubeConfig,
  say: (line: string) => void,
  clock?: Clock,
): Promise<string[]> {
  const found = (await find(config)).filter(({ removed }) => removed);
  if (found.length === 0) say("there is no kube-proxy to bring back");
  const missing = ({ status }: V1DaemonSet) => (status?.desiredNumberScheduled ?? 0) - (status?.numberReady ?? 0);
  return change(config, found, null, missing, say, clock);
}

async function find(config: KubeConfig): Promise<KubeProxyDaemonSet[]> {
  try {
    return kubeProxyDaemonSets((await config.makeApiClient(AppsV1Api).listDaemonSetForAllNamespaces()).items);
  } catch (error) {
    throw new ClusterFailure(`DaemonSets cannot be listed: ${apiWords(error)}`, "give an administrator's kubeconfig");
  }
}

async function change(
  config: KubeConfig,
  daemonSets: KubeProxyDaemonSet[],
  value: string | null,
  left: (daemonSet: V1DaemonSet) => number,
  say: (line: string) => void,
  clock: Clock = realClock,
): Promise<string[]> {
  const api = config.makeApiClient(AppsV1Api);
  return Promise.all(
    daemonSets.map(async ({ namespace, name }) => {
      const shown = `${namespace}/${name}`;
      try {
        const body = { spec: { template: { spec: { nodeSelector: { [REMOVED_KEY]: value } } } } };
        const asMerge = setHeaderOptions("Content-Type", PatchStrategy.MergePatch);
        const { metadata } = await api.patchNamespacedDaemonSet({ namespace, name, body }, asMerge);
        const generation = metadata?.generation ?? 0;
        const missing = await until(
          async () => {
            const live = await api.readNamespacedDaemonSet({ namespace, name });
            if ((live.status?.observedGeneration ?? 0) < generation)
              return `DaemonSet ${shown} has not been looked at yet`;
            const count = left(live);
            return count > 0 ? `DaemonSet ${shown}: ${count} nodes left` : undefined;
          },
          SECONDS,
          say,
          clock,
        );
        if (missing) throw new ClusterFailure(missing, `kubectl -n ${namespace} describe daemonset ${name}`);
      } catch (error) {
        if (error instanceof ClusterFailure) throw error;
        throw new ClusterFailure(
          `DaemonSet ${shown} cannot be changed: ${apiWords(error)}`,
          "give an administrator's kubeconfig",
        );
      }
      say(
        value === null
          ? `DaemonSet ${shown} is back on its nodes`
          : `DaemonSet ${shown} is off the nodes; it stays in the cluster, as it was`,
      );
      return shown;
    }),
  );
}
