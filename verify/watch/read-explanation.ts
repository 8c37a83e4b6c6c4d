import { z } from "zod";
import type { NodeAnswer } from "../../agent/observe/explain/answers.ts";

const word = z.string();
const words = z.array(word);
const tier = z.looseObject({ tier: word, verdict: word, reason: word, logs: words });
const end = z.looseObject({
  ...{ direction: word, end: word, policies: word, verdict: word, reason: word },
  ...{ peer: words, tiers: z.array(tier) },
});
const way = z.looseObject({
  to: z.looseObject({ address: word, port: z.number(), name: word }),
  ends: z.array(end),
  route: word.optional(),
  staged: z
    .looseObject({
      ...{ verdict: word, reason: word.optional() },
      // Of agents of this version.
      ends: z
        .array(z.looseObject({ direction: word, end: word, policies: word, verdict: word, tiers: z.array(tier) }))
        .optional(),
    })
    .optional(),
});
const answer = z.looseObject({
  from: z.looseObject({ address: word, name: word }),
  service: word.optional(),
  sourceRanges: z.looseObject({ ranges: words, allows: z.boolean() }).optional(),
  ways: z.array(way),
});

/** @param node that sent the answer, whatever the answer says. @throws Error */
export function readExplanation(record: unknown, node: string): NodeAnswer {
  if (!answer.safeParse(record).success) throw new Error("its agent's answer is no explanation of a flow");
  const said = record as NodeAnswer;
  const ways = said.ways.map(({ staged, ...one }) => ({
    ...one,
    ends: one.ends.map((each) => ({ ...each, node })),
    ...(staged && { staged: { ...staged, ends: (staged as Partial<typeof staged>).ends ?? [] } }),
  }));
  return { ...said, node, ways };
}
