import { CoordinationV1Api, CoreV1Api, KubeConfig, type V1Lease } from "@kubernetes/client-node";
import { z } from "zod";
import { ClusterFailure } from "./failure.ts";
import { type Clock, realClock, until } from "./patience.ts";

export const nodesSchema = z.strictObject({
  /** Names of the nodes. */
  nodes: z.array(z.string()),
  seconds: z.number().default(20 * 60),
});

/** Kubelets renew their lease every 10 s; an older one is that of a machine which is gone, and is made anew under the same name. */
const LEASE_SECONDS = 25;

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
  const look = async (): Promise<string | undefined> => {
    try {
      const joined = (await api.listNode()).items.map(({ metadata }) => metadata?.name);
      const absent = nodes.filter((name) => !joined.includes(name));
      if (absent.length > 0) return `${absent.join(", ")} did not join yet`;
      const { items } = await leases.listNamespacedLease({ namespace: "kube-node-lease" });
      const silent = nodes.filter((name) => !isRenewed(items.find(({ metadata }) => metadata?.name === name)));
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

function isRenewed(lease: V1Lease | undefined): boolean {
  const renewed = lease?.spec?.renewTime;
  return renewed !== undefined && Date.now() - new Date(renewed).getTime() < LEASE_SECONDS * 1000;
}
