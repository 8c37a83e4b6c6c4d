import type { V1DaemonSet } from "@kubernetes/client-node";
import { AGENT_LABELS } from "../../components/dataplane/names.ts";
import { listObjects } from "../../kubernetes/get.ts";
import type { Api } from "../../kubernetes/transport.ts";
import { packageVersion } from "../this-package.ts";

/**
 * The image of probers: the one that is asked for; otherwise the one that the cluster's agents have, which holds the prober too and which nodes
 * have or can pull; otherwise this version's, by its bare name.
 */
export async function proberImage(api: Api, asked?: string): Promise<string> {
  if (asked) return asked;
  const [[label, value]] = Object.entries(AGENT_LABELS) as [[string, string]];
  const found = await listObjects<V1DaemonSet>(api, "/apis/apps/v1/daemonsets", { labelSelector: `${label}=${value}` });
  const deployed = found.flatMap(({ spec }) => spec?.template.spec?.containers ?? []);
  return deployed.find(({ name }) => name === "agent")?.image ?? `ebpf-dataplane:${packageVersion()}`;
}
