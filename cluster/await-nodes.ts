import { CoreV1Api, KubeConfig } from "@kubernetes/client-node";
import { z } from "zod";
import { ClusterFailure } from "./failure.ts";
import { type Clock, realClock, until } from "./patience.ts";

export const nodesSchema = z.strictObject({
  /** Names of the nodes. */
  nodes: z.array(z.string()),
  seconds: z.number().default(20 * 60),
});

/** Waits until every node has joined. They are not Ready yet: that takes a network, which comes next. */
export async function awaitNodes(
  { nodes, seconds }: z.output<typeof nodesSchema>,
  kubeconfig: string,
  say: (line: string) => void,
  clock: Clock = realClock,
): Promise<void> {
  const config = new KubeConfig();
  config.loadFromString(kubeconfig);
  const api = config.makeApiClient(CoreV1Api);
  const look = async (): Promise<string | undefined> => {
    try {
      const joined = (await api.listNode()).items.map(({ metadata }) => metadata?.name);
      const absent = nodes.filter((name) => !joined.includes(name));
      return absent.length > 0 ? `${absent.join(", ")} did not join yet` : undefined;
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
