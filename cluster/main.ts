import { text } from "node:stream/consumers";
import { Command, Option } from "commander";
import { z } from "zod";
import { controlPlaneSchema, nodesSchema } from "../components/documents/await.ts";
import { type KubeProxyResult, kubeProxySchema } from "../components/documents/kube-proxy.ts";
import { preflightSchema } from "../components/documents/preflight.ts";
import { upgradeSchema } from "../components/documents/upgrade.ts";
import { keepOutput } from "../components/program/output.ts";
import { chosenKubeconfig } from "../kubernetes/chosen-kubeconfig.ts";
import { KubernetesError, UnusableKubeconfig } from "../kubernetes/errors.ts";
import { apiServerOf } from "../kubernetes/kubeconfig.ts";
import type { Api } from "../kubernetes/transport.ts";
import { awaitControlPlane } from "./await-control-plane.ts";
import { awaitNodes } from "./await-nodes.ts";
import { cleanNodes } from "./clean-nodes.ts";
import { ClusterFailure } from "./failure.ts";
import { clusterIdBefore, clusterIdOf, clusterIfThere, requireCluster } from "./identity.ts";
import { removeKubeProxy, restoreKubeProxy } from "./kube-proxy/switch.ts";
import { type PreflightOptions, plannedIn, showPreflight } from "./preflight/command.ts";
import { preflight } from "./preflight/run.ts";
import { removeDefinitions } from "./remove-definitions.ts";
import { upgrade } from "./upgrade/upgrade.ts";

keepOutput();

const program = new Command().description(
  "Looks at clusters and waits for them; each command reads one JSON document on stdin, and KUBECONFIG_CONTENT or KUBECONFIG.",
);
command("await-control-plane", "wait until the control plane has published how to administer it", async () =>
  awaitControlPlane(await document(controlPlaneSchema), say),
);
command("await-nodes", "wait until these nodes have joined the cluster", async () =>
  awaitNodes(await document(nodesSchema), apiServer(), say),
);
command("upgrade", "bring all nodes of the cluster to one release of Kubernetes, one by one", async () =>
  upgrade(await document(upgradeSchema), apiServer(), say),
);
program
  .command("preflight")
  .description("report what blocks the dataplane on a cluster; changes nothing, but for a short-lived pod on each node")
  .option("--kubeconfig <path>", "the cluster; otherwise KUBECONFIG_CONTENT, KUBECONFIG or ~/.kube/config")
  .option("--context <name>", "a context of the kubeconfig, instead of its current one")
  .option("--pod-cidr <network...>", "the pods' networks (default: those of the Dataplane)")
  .option("--service-subnet <network>", "the Services' network (default: kubeadm's)")
  .option("--service-subnet-ipv6 <network>", "their IPv6 network")
  .option(
    "--namespace <name>",
    "the agents' namespace, if it is one of yours (default: ebpf-dataplane, made by the Dataplane)",
  )
  .option("--image <image>", "the agent's image: with it, a short-lived pod checks the kernel of each node")
  .option("--json", "print the findings as JSON on standard output, and nothing else", false)
  .addOption(new Option("--no-document", "read no document from standard input").hideHelp())
  .action(async (options: PreflightOptions) => {
    const plan = preflightSchema.parse({ ...(options.document && (await written())), ...plannedIn(options) });
    const api = apiServer(options);
    say(`asking the cluster ${api.server}`);
    showPreflight(await preflight(plan, api, say), plan, options, say);
  });
command(
  "remove-kube-proxy",
  "remove the cluster's own kube-proxy from the nodes; it stays in the cluster",
  async () => {
    const { clusterId: expected } = await document(kubeProxySchema);
    const api = apiServer();
    const clusterId = await clusterIdOf(api);
    requireCluster(clusterId, expected ?? clusterIdBefore());
    const result: KubeProxyResult = { clusterId, removed: await removeKubeProxy(api, say) };
    process.stdout.write(`${JSON.stringify(result)}\n`);
  },
);
command("restore-kube-proxy", "restore it, and wait until it runs on every node", () =>
  onCluster(kubeProxySchema, async (api) => void (await restoreKubeProxy(api, say))),
);
command("clean-nodes", "remove from every node the state that outlives the agents", () =>
  onCluster(preflightSchema, async (api, plan) => {
    await cleanNodes(api, plan, say);
    await removeDefinitions(api, say);
  }),
);

// A wrong command line is wrong input, like a wrong document.
for (const each of [program, ...program.commands])
  each.exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : 2));
program.parseAsync().catch((error: unknown) => {
  if (error instanceof z.ZodError) {
    say(`the plan (the options, or the document on standard input) is not valid:\n${z.prettifyError(error)}`);
    process.exit(2);
  }
  if (!(error instanceof ClusterFailure || error instanceof KubernetesError)) throw error;
  say(error.next ? `${error.message}\nnext: ${error.next}` : error.message);
  // 2: nothing could be asked, as with other commands about a cluster.
  const isUnasked = error instanceof UnusableKubeconfig || error.cause instanceof KubernetesError;
  process.exit(isUnasked ? 2 : 1);
});

function command(name: string, description: string, work: () => Promise<void>): void {
  program.command(name).description(description).action(work);
}

/** Cleanup of a destroyed deployment in its cluster, if the cluster still exists. */
async function onCluster<Document extends { clusterId?: string }>(
  schema: z.ZodType<Document>,
  work: (api: Api, document: Document) => Promise<void>,
): Promise<void> {
  const written = await document(schema);
  const api = apiServer();
  const clusterId = await clusterIfThere(api);
  if (clusterId === undefined)
    return say("the API server does not answer: the cluster is gone, and there is nothing to clean up");
  requireCluster(clusterId, written.clusterId ?? clusterIdBefore());
  await work(api, written);
}

function say(line: string): void {
  process.stderr.write(`${line}\n`);
}

async function document<T>(schema: z.ZodType<T>): Promise<T> {
  return schema.parse(await written());
}

/** The document on standard input. */
async function written(): Promise<object> {
  const given = process.stdin.isTTY ? "" : await text(process.stdin);
  try {
    return JSON.parse(given || "{}");
  } catch (error) {
    throw new ClusterFailure(`standard input is not valid JSON: ${(error as Error).message}`, "pass one JSON document");
  }
}

/** The kubeconfig is a secret, so its content is never an argument. */
function apiServer({ kubeconfig: path, context, document = true }: Partial<PreflightOptions> = {}): Api {
  const { KUBECONFIG_CONTENT: content, KUBECONFIG: environment } = process.env;
  const api = apiServerOf(chosenKubeconfig({ path, content, environment, home: !document, context }));
  // A kubeconfig without a cluster is refused before anything else is done.
  void api.server;
  return api;
}
