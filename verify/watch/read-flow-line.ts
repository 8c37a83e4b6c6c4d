import { z } from "zod";
import type { FlowLine } from "../../agent/observe/events/flow-stream.ts";

const word = z.string().optional();
const end = z.looseObject({ address: z.string(), port: z.number(), name: word, workload: word });

const flow = z.looseObject({
  time: z.iso.datetime(),
  ...{ node: z.string(), protocol: z.string(), verdict: z.string() },
  ...{ reason: word, text: word, rule: word, service: word, reply: word, role: word, peer: word },
  ...{ client: end.optional(), to: end, backend: end.optional() },
  staged: z.looseObject({ verdict: z.string(), reason: word }).optional(),
});

/** Milliseconds since 1970 that a Date can have (ECMA-262, "Time Values and Time Range"). */
const moment = z.number().min(-8.64e15).max(8.64e15);

const history = z.looseObject({
  history: z.looseObject({
    ...{ node: z.string(), since: moment, missed: z.number() },
    pushedOut: z.record(z.string(), z.number()),
  }),
});

const lost = z.looseObject({ lost: z.looseObject({ node: z.string(), flows: z.number() }) });

const line = z.union([history, lost, flow]);

/** An attacker who controls a node can send anything: with an invalid time, old flows would never be dropped.
 * @param node that sent the line, whatever the line says
 * @throws Error */
export function readFlowLine(record: unknown, node: string): FlowLine {
  if (!line.safeParse(record).success) throw new Error("its agent wrote a line that is no flow");
  const said = record as FlowLine;
  if ("history" in said) return { history: { ...said.history, node } };
  if ("lost" in said) return { lost: { ...said.lost, node } };
  return { ...said, node };
}
