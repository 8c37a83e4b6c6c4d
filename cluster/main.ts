import { text } from "node:stream/consumers";
import { Command } from "commander";
import { z } from "zod";
import { controlPlaneSchema, nodesSchema } from "../components/documents/await.ts";
import { type KubeProxyResult, kubeProxySchema } from "../components/documents/kube-proxy.ts";
import { preflightSchema } from "../components/documents/preflight.ts";
import { upgradeSchema } from "../components/documents/upgrade.ts";
import { KubernetesError } from "../kubernetes/errors.ts";
import { apiServerOf, kubeconfigFile, kubeconfigOf } from "../kubernetes/kubeconfig.ts";
import type { Api } from "../kubernetes/transport.ts";
import { awaitControlPlane } from "./await-control-plane.ts";
import { awaitNodes } from "./await-nodes.ts";
import { cleanNodes } from "./clean-nodes.ts";
import { ClusterFailure } from "./failure.ts";
import { clusterIdBefore, clusterIdOf, clusterIfThere, requireCluster } from "./identity.ts";
import { removeKubeProxy, restoreKubeProxy } from "./kube-proxy/switch.ts";
import { preflight } from "./preflight/run.ts";
import { renderFindings } from "./preflight/table.ts";
import { removeDefinitions } from "./remove-definitions.ts";
import { upgrade } from "./upgrade/upgrade.ts";

const program = new Command("cluster").description(
  "Looks at clusters and waits for them; each command reads one JSON document on stdin, and KUBECONFIG_CONTENT or KUBECONFIG.",
);
command("await-control-plane", "wait until the control plane has published how it is administrated", async () =>
  awaitControlPlane(await document(controlPlaneSchema), say),
);
command("await-nodes", "wait until these nodes have joined the cluster", async () =>
  awaitNodes(await document(nodesSchema), apiServer(), say),
);
command("upgrade", "make all nodes of the cluster be of one release of Kubernetes, one by one", async () =>
  upgrade(await document(upgradeSchema), apiServer(), say),
);
command("preflight", "say what stands in the way of the dataplane on a cluster; changes nothing", async () => {
  const found = await preflight(await document(preflightSchema), apiServer(), say);
  process.stderr.write(`${renderFindings(found.findings)}\n`);
  process.stdout.write(`${JSON.stringify(found)}\n`);
  if (found.refused === 0) return;
  throw new ClusterFailure(
    `${found.refused} of ${found.findings.length} findings stand in the way; nothing was changed`,
    "do what the table says, or choose other arguments, and run the same command again",
  );
});
command("remove-kube-proxy", "take the cluster's own kube-proxy off the nodes; it stays in the cluster", async () => {
  const { clusterId: expected } = await document(kubeProxySchema);
  const api = apiServer();
  const clusterId = await clusterIdOf(api);
  requireCluster(clusterId, expected ?? clusterIdBefore());
  const result: KubeProxyResult = { clusterId, removed: await removeKubeProxy(api, say) };
  process.stdout.write(`${JSON.stringify(result)}\n`);
});
command("restore-kube-proxy", "put it back, and wait until it is on every node", () =>
  onCluster(kubeProxySchema, async (api) => void (await restoreKubeProxy(api, say))),
);
command("clean-nodes", "take off every node what outlives the agents", () =>
  onCluster(preflightSchema, async (api, { image = "" }) => {
    await cleanNodes(api, image, say);
    await removeDefinitions(api, say);
  }),
);

program.parseAsync().catch((error: unknown) => {
  if (error instanceof z.ZodError) {
    say(`the document on standard input is not valid:\n${z.prettifyError(error)}`);
    process.exit(2);
  }
  if (!(error instanceof ClusterFailure || error instanceof KubernetesError)) throw error;
  say(error.next ? `${error.message}\nnext: ${error.next}` : error.message);
  process.exit(1);
});

function command(name: string, description: string, work: () => Promise<void>): void {
  program.command(name).description(description).action(work);
}

/** What a destroyed deployment does in the cluster that it was on, if that is still there. */
async function onCluster<Document extends { clusterId?: string }>(
  schema: z.ZodType<Document>,
  work: (api: Api, document: Document) => Promise<void>,
): Promise<void> {
  const written = await document(schema);
  const api = apiServer();
  const clusterId = await clusterIfThere(api);
  if (clusterId === undefined)
    return say("nobody answers: the cluster is gone, and nothing is left to be put in order");
  requireCluster(clusterId, written.clusterId ?? clusterIdBefore());
  await work(api, written);
}

function say(line: string): void {
  process.stderr.write(`${line}\n`);
}

async function document<T>(schema: z.ZodType<T>): Promise<T> {
  const written = process.stdin.isTTY ? "" : await text(process.stdin);
  try {
    return schema.parse(JSON.parse(written || "{}"));
  } catch (error) {
    if (error instanceof z.ZodError) throw error;
    throw new ClusterFailure(`standard input is no JSON: ${(error as Error).message}`, "give one JSON document");
  }
}

/** By a secret, so never by an argument. */
function apiServer(): Api {
  const { KUBECONFIG_CONTENT: content, KUBECONFIG: path } = process.env;
  if (!content && !path) {
    throw new ClusterFailure(
      "there is no kubeconfig",
      "give its content as KUBECONFIG_CONTENT, or its path as KUBECONFIG",
    );
  }
  const api = apiServerOf(content ? kubeconfigOf(content) : kubeconfigFile(path ?? ""));
  // Refused before anything else is done where it names no cluster.
  void api.server;
  return api;
}
