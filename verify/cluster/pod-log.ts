import type { V1Pod } from "@kubernetes/client-node";
import type { ApiServer } from "./api-server.ts";

/**
 * The last lines of every container of a pod, from the given number of seconds on. A container that has no log yet adds
 * nothing; rejects, in the API server's words, when no container's log can be read.
 */
export async function recentLog(api: ApiServer, pod: V1Pod, sinceSeconds: number): Promise<string[]> {
  const path = `/api/v1/namespaces/${pod.metadata?.namespace}/pods/${pod.metadata?.name}/log`;
  const containers = pod.spec?.containers ?? [];
  const logs = await Promise.allSettled(
    containers.map(({ name }) => {
      const query = { container: name, sinceSeconds: String(Math.ceil(sinceSeconds)), tailLines: "20000" };
      return api.text(path, { query });
    }),
  );
  const read = logs.flatMap((log) => (log.status === "fulfilled" ? [log.value] : []));
  const failed = logs.find((log) => log.status === "rejected");
  if (read.length === 0 && failed) throw failed.reason;
  return read.flatMap((log) => log.split("\n"));
}
