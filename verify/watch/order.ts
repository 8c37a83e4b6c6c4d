import type { Step } from "../../agent/observe/events/step.ts";

/** Steps in their order. Nodes on one computer share a clock and are ordered by time. Clocks of different computers
 * cannot be compared, so there each node's steps stay together, in the order in which packets reached the nodes. */
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
