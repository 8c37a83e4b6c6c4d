import { getText } from "./get.ts";
import type { Api } from "./transport.ts";

/** A pod, as its log is asked for. */
export interface LoggingPod {
  metadata?: { name?: string; namespace?: string };
  spec?: { containers: { name: string }[] };
}

/** Longest that is read of one container. */
const LINES = "20000";

/**
 * The last lines of every container of a pod, from the given number of seconds on. A container that has no log yet adds
 * nothing; rejects, in the API server's words, when no container's log can be read.
 */
export async function recentLog(api: Api, { metadata, spec }: LoggingPod, sinceSeconds: number): Promise<string[]> {
  const path = `/api/v1/namespaces/${metadata?.namespace}/pods/${metadata?.name}/log`;
  const logs = await Promise.allSettled(
    (spec?.containers ?? []).map(({ name: container }) =>
      getText(api, path, { container, sinceSeconds: String(Math.ceil(sinceSeconds)), tailLines: LINES }),
    ),
  );
  const read = logs.flatMap((log) => (log.status === "fulfilled" ? [log.value] : []));
  const failed = logs.find((log) => log.status === "rejected");
  if (read.length === 0 && failed) throw failed.reason;
  return read.flatMap((log) => log.split("\n"));
}
