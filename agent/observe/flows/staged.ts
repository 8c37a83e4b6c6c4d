import { FlowJudge, type JudgedBy } from "../../../model/flow/judge.ts";
import type { Judged, WrittenTo } from "../../../model/flow/judged.ts";
import type { FlowRecord } from "../../../model/flow/record.ts";
import { each, type Steps } from "../../../model/steps.ts";

/** The policies that are enforced, and those that would be if the staged ones were. */
export interface Staging {
  readonly now: JudgedBy;
  readonly staged: JudgedBy["policies"];
  /** What a client may have used, where it was translated. */
  readonly written?: (flow: Pick<FlowRecord, "from" | "service">) => readonly WrittenTo[] | undefined;
}

/** Notes for each flow what staged policies would decide, where that differs. Both verdicts are the model's: the kernel's own may be about
 * a moment at which the policies were others. */
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

/** Of flows that this node has only sent on to their backends, those about which its host endpoints would decide otherwise. The nodes of the
 * backends report the others, and what pods' policies would decide. */
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
