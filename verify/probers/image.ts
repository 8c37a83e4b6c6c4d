import type { V1DaemonSet } from "@kubernetes/client-node";
import { AGENT } from "../../components/dataplane/names.ts";
import { findObject } from "../../kubernetes/get.ts";
import type { Api } from "../../kubernetes/transport.ts";
import { agentNamespaceOf } from "../cluster/view.ts";
import { packageVersion } from "../this-package.ts";

/**
 * The image of probers: the requested one; otherwise the agents' image, which contains the prober and which nodes have or can pull;
 * otherwise this version's, by its bare name.
 */
export async function proberImage(api: Api, asked?: string): Promise<string> {
  if (asked) return asked;
  const namespace = await agentNamespaceOf(api);
  // By its name in its own namespace: any tenant can set labels, and probers are privileged.
  const agents = await findObject<V1DaemonSet>(api, `/apis/apps/v1/namespaces/${namespace}/daemonsets/${AGENT}`);
  const deployed = agents?.spec?.template.spec?.containers.find(({ name }) => name === "agent");
  return deployed?.image ?? `ebpf-dataplane:${packageVersion()}`;
}
