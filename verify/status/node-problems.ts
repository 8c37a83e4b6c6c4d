import type { NodeStatus } from "../../agent/observe/status/node-status.ts";
import { NEARLY_FULL } from "../../agent/tables/table-fill.ts";

/** A round checks the machine every 10 s, so a node that is up to date has synced within that time, even a slow one within a minute. */
const LATE_SECONDS = 60;

/** What is wrong with a node whose agent answers, each with the next step. */
export function nodeProblems(status: NodeStatus, logsOf: string): string[] {
  const { notReady, syncedSecondsAgo, waitingSeconds, failingWatches, closed, tables } = status;
  const logs = `Next: kubectl ${logsOf}.`;
  const inspect = `Next: kubectl get events -A --field-selector reason=NotInForce.`;
  return [
    ...notReady.map((reason) => `its agent is not ready: ${reason}. ${logs}`),
    ...(syncedSecondsAgo === null && notReady.length === 0
      ? [`the kernel never had the cluster's state. ${logs}`]
      : []),
    ...(waitingSeconds > LATE_SECONDS
      ? [`a change has waited for the kernel for ${Math.round(waitingSeconds)} s. ${logs}`]
      : []),
    ...(failingWatches.length > 0 ? [`it cannot watch ${failingWatches.join(", ")} at the API server. ${logs}`] : []),
    ...(closed.policies > 0 ? [`${closed.policies} policies are over a size limit and allow nothing. ${inspect}`] : []),
    ...(closed.services > 0
      ? [`${closed.services} Services are over a size limit and are not served. ${inspect}`]
      : []),
    ...tables
      .filter(({ entries, capacity }) => entries >= capacity * NEARLY_FULL)
      .map(
        ({ name, entries, capacity }) =>
          `the table "${name}" has ${entries} of ${capacity} entries. Next: kubectl describe node ${status.node}.`,
      ),
  ];
}
