import type { V1Node } from "@kubernetes/client-node";
import { NODE_MOUNTS, NODE_VOLUMES } from "../components/dataplane/node-volumes.ts";
import type { PreflightPlan } from "../components/documents/preflight.ts";
import { listObjects } from "../kubernetes/get.ts";
import type { Api } from "../kubernetes/transport.ts";
import { ClusterFailure } from "./failure.ts";
import { runOnNodes } from "./node-pods.ts";
import { unfitKind } from "./preflight/nodes.ts";

/** Timeout for all nodes, seconds. */
const SECONDS = 120;

/** Removes from every node the state that outlives the agents: programs, maps, interfaces, routes, the network plugin's configuration. */
export async function cleanNodes(
  api: Api,
  { image = "", imagePullSecrets }: Pick<PreflightPlan, "image" | "imagePullSecrets">,
  say: (line: string) => void,
): Promise<void> {
  const all = await listObjects<V1Node>(api, "/api/v1/nodes");
  const nodes = all.filter((node) => !unfitKind(node)).map(({ metadata }) => metadata?.name ?? "");
  const mounts = { volumes: NODE_VOLUMES, volumeMounts: NODE_MOUNTS };
  const errands = await runOnNodes(api, {
    purpose: "cleanup",
    nodes,
    image,
    imagePullSecrets,
    args: ["cleanup"],
    mounts,
    seconds: SECONDS,
  });
  const failed = [...errands].flatMap(([node, errand]) => ("problem" in errand ? [`${node}: ${errand.problem}`] : []));
  if (failed.length === 0) return say(`the dataplane is removed from ${nodes.length} nodes`);
  throw new ClusterFailure(
    `the dataplane is still on nodes: ${failed.join("; ")}`,
    "run the same command again; remove a node that no longer exists with kubectl delete node",
  );
}
