import { FlowJudge } from "../../../model/flow/judge.ts";
import type { Judged, WrittenTo } from "../../../model/flow/judged.ts";
import type { JudgedBy } from "../../../model/flow/judged-by.ts";
import type { FlowRecord } from "../../../model/flow/record.ts";
import { each, type Steps } from "../../../model/steps.ts";

/** The policies that are enforced, and those that would be if the staged ones were. */
export interface Staging {
  readonly now: JudgedBy;
  readonly staged: JudgedBy["policies"];
  /** The address that a client may have used, if the flow was translated. */
  readonly written?: (flow: Pick<FlowRecord, "from" | "service">) => readonly WrittenTo[] | undefined;
}

/** Records for each flow the decision of staged policies, if it differs. Both verdicts are the model's: the kernel's own verdict may be
 * from a moment at which other policies were in force. */
export function* withStaged(
  records: readonly FlowRecord[],
  { now, staged: then, written }: Staging,
): Steps<FlowRecord[]> {
  const judged = records.filter(({ others, verdict }) => !others && verdict !== "refused");
  const [before, after] = [new FlowJudge(now, judged), new FlowJudge({ ...now, policies: then }, judged)];
  yield;
  const differing = new Map<FlowRecord, Judged>();
  yield* each(
    judged,
    (record) => {
      const used = written?.(record);
      const isOwnNode = record.from.kind === "node" && record.at === "both";
      const flow = { ...record, isOwnNode, ...(used && { written: used }) };
      const [was, will] = [before.judge(flow), after.judge(flow)];
      if (was.verdict !== will.verdict) differing.set(record, will);
    },
    16,
  );
  return records.map((record) => {
    const staged = differing.get(record);
    return staged ? { ...record, staged } : record;
  });
}

/** Of the flows that this node has only sent on to their backends, those about which its staged host endpoints would decide otherwise.
 * The backends' nodes report the other flows, and the decisions of pods' policies. */
export function* sentOnOtherwise(
  records: readonly FlowRecord[],
  { now, staged: then, written }: Staging,
): Steps<FlowRecord[]> {
  const judged = records.filter(({ others }) => !others);
  const [before, after] = [new FlowJudge(now, judged), new FlowJudge({ ...now, policies: then }, judged)];
  yield;
  const found: FlowRecord[] = [];
  yield* each(
    judged,
    (record) => {
      const used = written?.(record);
      if (!used) return; // what the client wrote is not known
      const flow = { ...record, isOwnNode: false, isFromEntry: false, written: used };
      const [was, will] = [before.judgeAtHosts(flow), after.judgeAtHosts(flow)];
      if (was.verdict !== will.verdict) found.push({ ...record, staged: will, sentOn: true });
    },
    16,
  );
  return found;
}
