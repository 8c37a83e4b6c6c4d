import type { V1Node } from "@kubernetes/client-node";
import type { AwaitedNodes } from "../components/documents/await.ts";
import { listObjects } from "../kubernetes/get.ts";
import { type Clock, realClock, until } from "../kubernetes/patience.ts";
import type { Api } from "../kubernetes/transport.ts";
import { ClusterFailure } from "./failure.ts";
import { doubtAbout } from "./node-truth.ts";
import { whileAway } from "./while-away.ts";

/** Waits until every node has joined and is alive. They are not Ready yet: that needs the network, which is installed next. */
export async function awaitNodes(
  { nodes, seconds }: AwaitedNodes,
  api: Api,
  say: (line: string) => void,
  clock: Clock = realClock,
): Promise<void> {
  const look = () =>
    whileAway(async () => {
      const joined = (await listObjects<V1Node>(api, "/api/v1/nodes")).map(({ metadata }) => metadata?.name);
      const absent = nodes.filter((name) => !joined.includes(name));
      if (absent.length > 0) return `${absent.join(", ")} did not join yet`;
      const doubts = await Promise.all(nodes.map((name) => doubtAbout(api, name)));
      return doubts.filter(Boolean).join("; ") || undefined;
    });
  const missing = await until(look, seconds, say, { clock });
  if (missing === undefined) return;
  throw new ClusterFailure(
    `the cluster is not complete after ${Math.round(seconds / 60)} min: ${missing}`,
    "read the instances' logs (aws ec2 get-console-output, or journalctl -u kubernetes-bootstrap there), then run the same command again",
  );
}
