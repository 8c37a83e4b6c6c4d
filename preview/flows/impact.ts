import { HostJudges } from "../../model/flow/host-judges.ts";
import { FlowJudge } from "../../model/flow/judge.ts";
import { type Judged, strictest } from "../../model/flow/judged.ts";
import { endText, type FlowEnd, type FlowLogLine, targetText } from "../../model/flow/record.ts";
import { type SeenFlow, seenFlows } from "../../model/flow/seen.ts";
import { lastingLabels } from "../../model/flow/workload.ts";
import { type Cast, podOf } from "../reach/cast.ts";
import type { ReachChange } from "../reach/changes.ts";
import { judgedBy, namedPorts } from "../reach/judged-by.ts";
import type { Impact } from "./document.ts";
import { unusedRules } from "./unused-rules.ts";
import { usedPair } from "./used-pairs.ts";

/** A flow log, and its name in the output. */
export interface FlowLog {
  what: string;
  lines: readonly FlowLogLine[];
  unreadable: number;
  /** A rule that was not used for this many days counts as unused; undefined: the whole log counts. */
  unusedDays?: number;
}

/** Judges the flows of a log by the declared policies. Pure.
 * @param changes of reachability, compared with an earlier preview */
export function impactOf(
  cast: Cast,
  { what, lines, unreadable, unusedDays }: FlowLog,
  changes: readonly ReachChange[],
): Impact {
  const seen = seenFlows(lines);
  const by = judgedBy(cast);
  const until = seen.until ?? 0;
  // Counted from the end of the log, which may be an old one.
  const since = unusedDays === undefined ? Number.NEGATIVE_INFINITY : until - unusedDays * DAY_MS;
  const flows = seen.flows.map((flow) => ({
    ...flow,
    from: asDeclared(flow.from, cast),
    to: asDeclared(flow.to, cast),
  }));
  const hosts = new HostJudges(by, cast.hosts, { flows, hosts: seen.hosts });
  const judge = new FlowJudge({ ...by, hostPeers: hosts.peers }, flows);
  const judged = flows.map((flow) => ({ flow, ...strictest([judge.judge(flow), hosts.judge(flow)]) }));
  const used = judged.filter(({ flow }) => flow.connections > 0);
  const kept = used.filter(({ verdict }) => verdict === "allowed");
  return {
    what,
    from: time(seen.from ?? 0),
    until: time(until),
    ...(unusedDays !== undefined && { unusedDays }),
    nodes: [...seen.nodes],
    cut: used.filter(({ verdict }) => verdict === "denied").map(impactLine),
    opened: judged
      .filter(({ flow, verdict }) => flow.connections === 0 && flow.packetsDenied > 0 && verdict === "allowed")
      .map(({ flow }) => ({
        ...pair(flow),
        packets: flow.packetsDenied,
        last: time(flow.last),
        deniedBy: [...flow.policies],
      })),
    undecided: used.filter(({ verdict }) => verdict === "depends").map(impactLine),
    kept: { flows: kept.length, connections: kept.reduce((sum, { flow }) => sum + flow.connections, 0) },
    droppedUnused: changes
      .filter(({ before, after }) => before === "allowed" && after === "dropped")
      .filter((change) => !used.some(({ flow }) => flow.last >= since && usedPair(cast, change, flow)))
      .map(({ from, to }) => ({ from, to })),
    unused: unusedRules(
      { ...by, hostPeers: hosts.peers },
      hosts.labels,
      flows.filter(({ connections }) => connections > 0),
      since,
    ),
    notNamed: seen.unnamed,
    unreadable,
  };
}

const DAY_MS = 86_400_000;
const time = (milliseconds: number): string => new Date(milliseconds).toISOString();
const pair = (flow: SeenFlow) => ({ from: endText(flow.from), to: targetText(flow) });

function impactLine({ flow, reason = "" }: Judged & { flow: SeenFlow }): Impact["cut"][number] {
  return { ...pair(flow), connections: flow.connections, last: time(flow.last), reason };
}

/** Pods of a declared workload will have its declared labels and ports, whatever labels and ports the log contains. */
function asDeclared(end: FlowEnd, { workloads }: Cast): FlowEnd {
  if (end.kind !== "pods") return end;
  const declared = workloads.find(({ namespace, name }) => namespace === end.namespace && name === end.workload);
  if (!declared) return end;
  const ports = namedPorts(podOf(declared));
  // A label that copies have and templates do not: a policy may name it.
  return { ...end, labels: { ...controllerLabels(end.labels ?? {}), ...lastingLabels(declared.labels) }, ports };
}

function controllerLabels(labels: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(labels).filter(([name]) => name.includes("kubernetes.io/") || name === "job-name"),
  );
}
