import { type NodeReport, nodeReportSchema } from "../../agent/features/report.ts";
import type { PreflightPlan } from "../../components/documents/preflight.ts";
import type { Api } from "../../kubernetes/transport.ts";
import { MESSAGE_FILE, runOnNodes } from "../node-pods.ts";
import type { ClusterFacts } from "./facts.ts";
import { unfitKind } from "./nodes.ts";
import { selected } from "./selection.ts";

/** Mounts for the check: everything below /sys, and the configuration of network plugins, which may not exist. */
const FOLDERS = ["sys", "etc"];
const MOUNTS = {
  volumes: FOLDERS.map((name) => ({ name, hostPath: { path: `/${name}` } })),
  volumeMounts: FOLDERS.map((name) => ({ name, mountPath: `/host/${name}`, readOnly: true })),
};

/** Each node's report on itself and its kernel, from a short-lived pod of the agent's image. */
export async function askNodes(
  api: Api,
  { nodes }: ClusterFacts,
  plan: PreflightPlan,
): Promise<Map<string, NodeReport | string>> {
  const { image = "", apiServer, imagePullSecrets, seconds } = plan;
  const names = selected(nodes, plan)
    .filter((node) => !unfitKind(node))
    .map(({ metadata }) => metadata?.name ?? "");
  const server = apiServer ? ["--api-server", `${apiServer.host}:${apiServer.port}`] : [];
  const args = ["features", "--report", MESSAGE_FILE, ...server];
  const errands = await runOnNodes(api, {
    purpose: "preflight",
    nodes: names,
    image,
    imagePullSecrets,
    args,
    mounts: MOUNTS,
    seconds,
  });
  return new Map(
    [...errands].map(([node, errand]) => [node, "problem" in errand ? errand.problem : read(errand.message)]),
  );
}

function read(message: string): NodeReport | string {
  try {
    return nodeReportSchema.parse(JSON.parse(message));
  } catch {
    return `the agent's image gave no report: does its version match? Its output: ${message.slice(0, 200) || "nothing"}`;
  }
}
