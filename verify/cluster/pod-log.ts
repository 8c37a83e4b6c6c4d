import type { V1Pod } from "@kubernetes/client-node";
import type { ApiServer } from "./api-server.ts";

/** The last lines of every container of a pod, from the given number of seconds on. A log that cannot be read is empty. */
export async function recentLog(api: ApiServer, pod: V1Pod, sinceSeconds: number): Promise<string[]> {
  const path = `/api/v1/namespaces/${pod.metadata?.namespace}/pods/${pod.metadata?.name}/log`;
  const logs = (pod.spec?.containers ?? []).map(async ({ name }) => {
    const query = { container: name, sinceSeconds: String(Math.ceil(sinceSeconds)), tailLines: "20000" };
    return api.text(path, { query }).catch(() => "");
  });
  return (await Promise.all(logs)).flatMap((log) => log.split("\n"));
}
