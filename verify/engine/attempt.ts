import type { AttemptResult } from "../../probe/batch.ts";
import type { Seen } from "../../report/results/verification.ts";
import { type ClusterView, nodeAddresses, podAddresses, podName } from "../cluster/view.ts";
import type { IdleServers } from "./idle-servers.ts";
import { addressTowards, ownerOf } from "./lookup.ts";
import type { Plan } from "./plan.ts";
import { type Replies, repliesThroughEntry } from "./reply-path.ts";
import type { LogEvidence, ServerLogs } from "./server-log.ts";
import type { Machine } from "./world.ts";

/** A round's observations about one expectation. */
export interface Findings {
  view: ClusterView;
  machines: Machine[];
  plan: Plan;
  results: AttemptResult[];
  logs: ServerLogs;
  replies: Replies;
  idle: IdleServers;
}

/** One attempt with what is known about its server. */
export interface Attempt {
  result: AttemptResult;
  server?: string;
  source?: string;
  log?: LogEvidence;
  /** Packets of the reply that left the entry node; undefined without a capture. */
  throughEntry?: number;
  servedByEntry: boolean;
}

export function attemptWithServer({ view, plan, logs, replies }: Findings, result: AttemptResult): Attempt {
  const log = logs.lines.get(`${result.id}.${result.attempt}`);
  const server = result.server ?? log?.server;
  const node = view.pods.find((pod) => podName(pod) === server)?.spec?.nodeName;
  const throughEntry =
    plan.entry && result.verdict === "allowed" ? repliesThroughEntry(replies, plan, result) : undefined;
  const servedByEntry = node !== undefined && node === plan.entry?.node;
  return { result, server, source: result.source ?? log?.source, log, throughEntry, servedByEntry };
}

/** Attempts as facts; attempts that differ only in the client's port are merged. */
export function factsOf(findings: Findings, attempts: Attempt[]): Seen[] {
  const groups = new Map<string, Seen>();
  for (const attempt of attempts) {
    const fact = factOf(findings, attempt);
    const { clientPort: _, sourcePort: __, replyPackets, ...same } = fact;
    const key = JSON.stringify({ ...same, rewritten: fact.sourcePort !== fact.clientPort });
    const group = groups.get(key);
    if (!group) groups.set(key, fact);
    else {
      group.attempts++;
      if (replyPackets !== undefined) group.replyPackets = (group.replyPackets ?? 0) + replyPackets;
    }
  }
  return [...groups.values()];
}

function factOf({ view, machines, plan }: Findings, attempt: Attempt): Seen {
  const { result, server, source, log, throughEntry } = attempt;
  const host = plan.probes.find(({ probe }) => probe.id === result.id)?.probe.host ?? "";
  const targetAddress = result.address ?? host;
  const pod = view.pods.find((one) => podName(one) === server);
  const fact: Seen = {
    attempts: 1,
    verdict: result.verdict,
    error: result.error,
    clientAddress: result.localAddress,
    clientPort: result.localPort,
    targetAddress,
    targetPort: plan.destination.port,
    entryNode: view.nodes.find((node) => nodeAddresses(node).includes(targetAddress))?.metadata?.name,
    server,
    serverNode: pod?.spec?.nodeName,
    serverAddress: pod && addressTowards(targetAddress, podAddresses(pod)),
    source,
    sourcePort: result.sourcePort,
    sourceOwner: source && ownerOf(view, machines, source),
    echoedBytes: result.echoed,
    httpStatus: result.status,
    witness: result.source ? "answer" : log?.source ? "log" : undefined,
    reply: replyOf(attempt),
    replyPackets: throughEntry,
  };
  return JSON.parse(JSON.stringify(fact)) as Seen; // unknown facts are left out
}

function replyOf({ throughEntry, servedByEntry }: Attempt): Seen["reply"] {
  if (throughEntry === undefined) return undefined;
  if (servedByEntry) return "onEntryNode";
  return throughEntry > 0 ? "viaEntryNode" : "direct";
}
