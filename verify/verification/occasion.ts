import type { V1DaemonSet } from "@kubernetes/client-node";
import { AGENT } from "../../components/dataplane/names.ts";
import { getObject, listObjects } from "../../kubernetes/get.ts";
import type { Api } from "../../kubernetes/transport.ts";
import type { Occasion } from "../../report/results/occasion.ts";
import { agentNamespaceOf, readConfiguration } from "../cluster/view.ts";
import { packageCommit, packageVersion } from "../this-package.ts";
import { engineOf } from "./engine.ts";

/** Records the time and the cluster of a verification. Called before it; the returned function is called after it. */
export async function observeOccasion(api: Api): Promise<() => Occasion> {
  const begunAt = new Date().toISOString();
  // An unreachable cluster does not stop the verification: its rows report that.
  const ask = <T>(path: string) => getObject<T>(api, path).catch(() => undefined);
  const [version, namespace, daemonSets, agents, configuration] = await Promise.all([
    ask<{ gitVersion: string }>("/version"),
    ask<{ metadata?: { uid?: string } }>("/api/v1/namespaces/kube-system"),
    listObjects<V1DaemonSet>(api, "/apis/apps/v1/daemonsets").catch(() => []),
    agentNamespaceOf(api).catch(() => AGENT),
    readConfiguration(api).catch(() => ({})),
  ]);
  const engine = engineOf(daemonSets, configuration, agents);
  const commit = packageCommit();
  const id = namespace?.metadata?.uid;
  return () => ({
    begunAt,
    endedAt: new Date().toISOString(),
    cluster: {
      server: api.server,
      ...(id && { id }),
      ...(version && { kubernetes: version.gitVersion }),
      ...(engine && { engine }),
    },
    version: packageVersion(),
    ...(commit && { commit }),
  });
}
