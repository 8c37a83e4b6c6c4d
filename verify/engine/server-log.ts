import { isIP } from "node:net";
import type { V1Pod } from "@kubernetes/client-node";
import type { AttemptResult } from "../../probe/batch.ts";
import { type ClusterView, podName } from "../cluster/view.ts";
import { podsOf } from "./behind.ts";
import { matches } from "./lookup.ts";
import type { Plan } from "./plan.ts";
import type { World } from "./world.ts";

/** A server's log entry for one attempt. */
export interface LogEvidence {
  server: string;
  /** Absent: the line does not begin with an address. */
  source?: string;
  line: string;
}

/** Results from the logs, and the logs without an entry. */
export interface ServerLogs {
  /** By `<token>.<attempt>`. */
  lines: Map<string, LogEvidence>;
  /** Pods whose logs were searched. */
  searched: string[];
  /** Why a log could not be read, by pod. */
  unreadable: Map<string, string>;
}

/** A log line passes from the container through kubelet; it appears within a moment, on a busy computer within seconds, or never. */
const patienceMs = 6000;
const pauseMs = 250;

/** Whether judging an expectation needs the server's identity or the source that it saw. */
function needsEvidence({ expectation }: Plan): boolean {
  const { verdict, source, servers, spread, spreadAtMost, reply } = expectation;
  return verdict === "allowed" && Boolean(source || servers || spread || spreadAtMost || reply);
}

/**
 * For servers that do not report the client's address (any web server): the line of their access log that contains the attempt's
 * token, found in the logs of the pods behind the destination.
 */
export async function readServerLogs(
  world: World,
  view: ClusterView,
  asked: { plan: Plan; result: AttemptResult }[],
  sinceMs: number,
): Promise<ServerLogs> {
  const found: ServerLogs = { lines: new Map(), searched: [], unreadable: new Map() };
  const silent = asked.filter(
    ({ plan, result }) => needsEvidence(plan) && result.verdict === "allowed" && !result.server,
  );
  if (silent.length === 0) return found;
  const wanted = silent.map(({ result }) => `${result.id}.${result.attempt}`);
  const pods = new Set(silent.flatMap(({ plan, result }) => candidates(view, plan, result)));
  found.searched = [...pods].map(podName);

  const giveUp = world.clock.now() + patienceMs;
  for (;;) {
    const logs = [...pods].map(async (pod) => {
      try {
        const lines = await world.log(pod, (world.clock.now() - sinceMs) / 1000 + 5);
        for (const line of lines) note(found.lines, line, podName(pod));
        found.unreadable.delete(podName(pod));
      } catch (error) {
        found.unreadable.set(podName(pod), (error as Error).message);
      }
    });
    await Promise.all(logs);
    if (wanted.every((token) => found.lines.has(token)) || world.clock.now() >= giveUp || world.stopping.aborted)
      return found;
    await world.clock.sleep(pauseMs);
  }
}

/** The common log format starts with the remote address (nginx `combined`, Apache, most others). */
function note(found: Map<string, LogEvidence>, line: string, server: string): void {
  const token = line.match(/ebpf-dataplane-probe\/([0-9a-f-]+\.\d+)/)?.[1];
  const first = line.match(/^\S+/)?.[0] ?? "";
  if (token) found.set(token, { server, source: isIP(first) ? first : undefined, line });
}

/** The pods that may have answered: those the check allows, and those behind the destination. */
function candidates(view: ClusterView, plan: Plan, result: AttemptResult): V1Pod[] {
  const named = plan.expectation.servers?.map(({ value }) => value) ?? [];
  const allowed = view.pods.filter((pod) => named.some((selection) => matches(pod, selection)));
  return [...allowed, ...podsOf(view, plan, result)];
}
