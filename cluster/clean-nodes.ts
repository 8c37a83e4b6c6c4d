import { CoreV1Api, type KubeConfig } from "@kubernetes/client-node";
import { NODE_MOUNTS, NODE_VOLUMES } from "../components/dataplane/node-volumes.ts";
import { ClusterFailure } from "./failure.ts";
import { runOnNodes } from "./node-pods.ts";
import { unfitKind } from "./preflight/nodes.ts";

/** Seconds for all nodes. */
const SECONDS = 120;

/** Takes off every node what outlives the agents: programs, maps, interfaces, routes, the network plugin's configuration. */
export async function cleanNodes(config: KubeConfig, image: string, say: (line: string) => void): Promise<void> {
  const { items } = await config.makeApiClient(CoreV1Api).listNode();
  const nodes = items.filter((node) => !unfitKind(node)).map(({ metadata }) => metadata?.name ?? "");
  const mounts = { volumes: NODE_VOLUMES, volumeMounts: NODE_MOUNTS };
  const errands = await runOnNodes(config, {
    purpose: "cleanup",
    nodes,
    image,
    args: ["cleanup"],
    mounts,
    seconds: SECONDS,
  });
  const failed = [...errands].flatMap(([node, errand]) => ("problem" in errand ? [`${node}: ${errand.problem}`] : []));
  if (failed.length === 0) return say(`the dataplane is off ${nodes.length} nodes`);
  throw new ClusterFailure(
    `the dataplane is still on nodes: ${failed.join("; ")}`,
    "run the same command again; a node that is gone for good is taken out by kubectl delete node",
  );
}
