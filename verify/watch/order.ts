import type { Step } from "../../agent/observe/events/step.ts";

/** Steps as they came after each other. Nodes of one computer share a clock, so time orders them; clocks of different ones
 * say nothing of each other, so there each node's steps stay together, in the order in which the packets met the nodes. */
export function inOrder(steps: readonly Step[], oneClock: boolean): Step[] {
  const byTime = steps.toSorted((a, b) => Number(BigInt(a.at) - BigInt(b.at)));
  if (oneClock) return byTime;
  const nodes = Map.groupBy(byTime, ({ node }) => node);
  const wrappedFor = (node: string) =>
    steps.some(
      ({ step, text, node: other }) =>
        other !== node && step === "wrapped" && text.includes(` node ${node},`) && !text.endsWith("return"),
    );
  return [...nodes].sort(([a], [b]) => Number(wrappedFor(a)) - Number(wrappedFor(b))).flatMap(([, own]) => own);
}
