import type { V1DaemonSet } from "@kubernetes/client-node";
import { AGENT } from "../../components/dataplane/names.ts";
import { findObject } from "../../kubernetes/get.ts";
import { subjectNamespace } from "../../kubernetes/subject-namespace.ts";
import type { Api } from "../../kubernetes/transport.ts";
import { packageVersion } from "../this-package.ts";

/**
 * The image of probers: the requested one; otherwise the agents' image, which contains the prober and which nodes have or can pull;
 * otherwise this version's, by its bare name.
 */
export async function proberImage(api: Api, asked?: string): Promise<string> {
  if (asked) return asked;
  // Probers are privileged. Any tenant can set labels, and a tenant who can create namespaces can have one with the usual name if no agents
  // are there.
  const namespace = await subjectNamespace(api, AGENT);
  const path = `/apis/apps/v1/namespaces/${namespace}/daemonsets/${AGENT}`;
  const agents = namespace === undefined ? undefined : await findObject<V1DaemonSet>(api, path);
  const deployed = agents?.spec?.template.spec?.containers.find(({ name }) => name === "agent");
  return deployed?.image ?? `ebpf-dataplane:${packageVersion()}`;
}
