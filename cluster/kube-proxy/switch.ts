// Removes the cluster's own kube-proxy from the nodes, and restores it.
//
// The DaemonSet and its configuration stay in the cluster: the only change is one more key in the DaemonSet's node selector, which no node
// has. So restoring it needs no saved state, even if a deployment's state is lost, and kubectl shows why no pod runs.
import type { V1DaemonSet } from "@kubernetes/client-node";
import { AGENT } from "../../components/dataplane/names.ts";
import { reasonOf } from "../../kubernetes/errors.ts";
import { getObject, listObjects } from "../../kubernetes/get.ts";
import { patchObject } from "../../kubernetes/patch.ts";
import { type Clock, realClock, until } from "../../kubernetes/patience.ts";
import { subjectNamespace } from "../../kubernetes/subject-namespace.ts";
import type { Api } from "../../kubernetes/transport.ts";
import { ClusterFailure } from "../failure.ts";
import { type KubeProxyDaemonSet, kubeProxyDaemonSets, REMOVED_KEY, REMOVED_VALUE } from "./find.ts";

/** Timeout for its pods to be removed, or to be ready on every node, seconds. */
const SECONDS = 300;

/** @returns the DaemonSets that are now removed from the nodes */
export async function removeKubeProxy(api: Api, say: (line: string) => void, clock?: Clock): Promise<string[]> {
  const found = await find(api);
  if (found.length === 0) say("found no kube-proxy to remove");
  return change(api, found, REMOVED_VALUE, ({ status }) => status?.currentNumberScheduled ?? 0, say, clock);
}

/** Waits until its pods run on every node again: only then may the dataplane be removed. @returns the restored DaemonSets */
export async function restoreKubeProxy(api: Api, say: (line: string) => void, clock?: Clock): Promise<string[]> {
  const found = (await find(api)).filter(({ removed }) => removed);
  if (found.length === 0) say("found no kube-proxy to restore");
  const missing = ({ status }: V1DaemonSet) => (status?.desiredNumberScheduled ?? 0) - (status?.numberReady ?? 0);
  return change(api, found, null, missing, say, clock);
}

async function find(api: Api): Promise<KubeProxyDaemonSet[]> {
  try {
    const agents = (await subjectNamespace(api, AGENT)) ?? AGENT;
    return kubeProxyDaemonSets(await listObjects<V1DaemonSet>(api, "/apis/apps/v1/daemonsets"), agents);
  } catch (error) {
    throw new ClusterFailure(`DaemonSets cannot be listed: ${reasonOf(error)}`, "use an administrator's kubeconfig");
  }
}

async function change(
  api: Api,
  daemonSets: KubeProxyDaemonSet[],
  value: string | null,
  left: (daemonSet: V1DaemonSet) => number,
  say: (line: string) => void,
  clock: Clock = realClock,
): Promise<string[]> {
  return Promise.all(
    daemonSets.map(async ({ namespace, name }) => {
      const shown = `${namespace}/${name}`;
      const path = `/apis/apps/v1/namespaces/${namespace}/daemonsets/${name}`;
      try {
        const body = { spec: { template: { spec: { nodeSelector: { [REMOVED_KEY]: value } } } } };
        const { metadata } = await patchObject<V1DaemonSet>(api, path, body);
        const generation = metadata?.generation ?? 0;
        const missing = await until(
          async () => {
            const live = await getObject<V1DaemonSet>(api, path);
            if ((live.status?.observedGeneration ?? 0) < generation)
              return `DaemonSet ${shown} has not been checked yet`;
            const count = left(live);
            return count > 0 ? `DaemonSet ${shown}: ${count} nodes left` : undefined;
          },
          SECONDS,
          say,
          { clock },
        );
        if (missing) throw new ClusterFailure(missing, `kubectl -n ${namespace} describe daemonset ${name}`);
      } catch (error) {
        if (error instanceof ClusterFailure) throw error;
        throw new ClusterFailure(
          `DaemonSet ${shown} cannot be changed: ${reasonOf(error)}`,
          "use an administrator's kubeconfig",
        );
      }
      say(
        value === null
          ? `DaemonSet ${shown} runs on its nodes again`
          : `DaemonSet ${shown} is removed from the nodes; it stays in the cluster, otherwise unchanged`,
      );
      return shown;
    }),
  );
}
