import { expect, test } from "vitest";
import { type TracedNodes, traceNodes } from "./traced-nodes.ts";

/** What an agent does when it is asked to trace. */
interface Agent {
  /** Why it cannot be asked. */
  unreachable?: string;
  /** It does not trace, and ends so. */
  refuses?: string;
  /** What is missing of what it had to tell, once it was asked to end. */
  untold?: string;
}

const step = (node: string) => ({ at: "1", node, hook: "from_uplink", step: "arrived", text: "SYN" });

async function tracing(agents: Record<string, Agent>) {
  const ends = new Map<string, (error?: Error) => void>();
  const traced: TracedNodes = await traceNodes(Object.keys(agents), async (node, hear) => {
    const { unreachable, refuses, untold } = agents[node] as Agent;
    if (unreachable) throw new Error(unreachable);
    const { promise: ended, resolve, reject } = Promise.withResolvers<void>();
    ended.catch(() => {});
    ends.set(node, (error) => (error ? reject(error) : resolve()));
    if (refuses) reject(new Error(`node ${node}: ${refuses}`));
    else {
      hear({ tracing: true, boot: "b" });
      hear(step(node));
    }
    return { node, ended, stop: () => resolve(), untold: () => untold };
  });
  return { traced, ends };
}

test("a node whose agent stops during the trace is named, also one that ends in peace", async () => {
  const { traced, ends } = await tracing({ a: {}, b: {}, c: {} });
  ends.get("b")?.(new Error("node b: ended with 137"));
  ends.get("c")?.();
  await new Promise((resolve) => setImmediate(resolve));
  expect(await traced.end()).toEqual([
    { node: "a" },
    { node: "b", problem: "ended with 137" },
    { node: "c", problem: "its agent ended before the trace did" },
  ]);
  expect(traced.steps.map(({ node }) => node).toSorted()).toEqual(["a", "b", "c"]);
  expect(traced.hasOneClock).toBe(true);
});

test("a node that cannot be asked is missing, and so is one that does not tell the rest", async () => {
  const { traced } = await tracing({
    c: {},
    b: { unreachable: "no agent runs there" },
    a: { untold: "it said nothing more" },
  });
  expect(await traced.end()).toEqual([
    { node: "a", problem: "it said nothing more" },
    { node: "b", problem: "no agent runs there" },
    { node: "c" },
  ]);
});

test("a node that refuses is missing with its words, and where none traces there is no trace", async () => {
  const refuses = "Another trace is running on this node. Next: try again when it has ended.";
  const { traced } = await tracing({ a: {}, b: { refuses } });
  expect(await traced.end()).toEqual([{ node: "a" }, { node: "b", problem: refuses }]);
  await expect(tracing({ a: { unreachable: "502" }, b: { refuses } })).rejects.toThrow(
    /^node [ab]: (502|Another trace)/,
  );
});
