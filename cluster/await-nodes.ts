import { CoordinationV1Api, CoreV1Api, KubeConfig, type V1Lease } from "@kubernetes/client-node";
import { z } from "zod";
import { ClusterFailure } from "./failure.ts";
import { type Clock, realClock, until } from "./patience.ts";

export const nodesSchema = z.strictObject({
  /** Names of the nodes. */
  nodes: z.array(z.string()),
  seconds: z.number().default(20 * 60),
});

/** So often a kubelet must have renewed its lease (every 10 s) while we watch. A lease that is there already may be that of a
 * machine which is gone and is made anew under the same name, and clocks differ, so its age says nothing; and after the
 * first renewal the pods' states are still those of before. */
const RENEWALS = 2;

/** Waits until every node has joined and is alive. They are not Ready yet: that takes a network, which comes next. */
export async function awaitNodes(
  { nodes, seconds }: z.output<typeof nodesSchema>,
  kubeconfig: string,
  say: (line: string) => void,
  clock: Clock = realClock,
): Promise<void> {
  const config = new KubeConfig();
  config.loadFromString(kubeconfig);
  const [api, leases] = [config.makeApiClient(CoreV1Api), config.makeApiClient(CoordinationV1Api)];
  const heard = new Map<string, Set<string>>();
  const look = async (): Promise<string | undefined> => {
    try {
      const joined = (await api.listNode()).items.map(({ metadata }) => metadata?.name);
      const absent = nodes.filter((name) => !joined.includes(name));
      if (absent.length > 0) return `${absent.join(", ")} did not join yet`;
      const { items } = await leases.listNamespacedLease({ namespace: "kube-node-lease" });
      for (const lease of items) hear(heard, lease);
      const silent = nodes.filter((name) => (heard.get(name)?.size ?? 0) <= RENEWALS);
      return silent.length > 0 ? `nothing is heard from ${silent.join(", ")}` : undefined;
    } catch (error) {
      return `the API server does not answer: ${(error as Error).message}`;
    }
  };
  const missing = await until(look, seconds, say, clock);
  if (missing === undefined) return;
  throw new ClusterFailure(
    `the cluster is not whole after ${Math.round(seconds / 60)} min: ${missing}`,
    "read the instances' logs (aws ec2 get-console-output, or journalctl -u kubernetes-bootstrap there), then run the same command again",
  );
}

/** Notes each time of renewal that was seen. */
function hear(heard: Map<string, Set<string>>, { metadata, spec }: V1Lease): void {
  if (!metadata?.name || !spec?.renewTime) return;
  heard.set(metadata.name, (heard.get(metadata.name) ?? new Set()).add(String(spec.renewTime)));
}
