import { expect, test } from "vitest";
import { followNodes } from "./follow-nodes.ts";

/** An agent that ends when the test says so. */
function agent(node: string) {
  let settle = (_: Error | undefined): void => {};
  const ended = new Promise<void>((resolve, reject) => {
    settle = (error) => (error ? reject(error) : resolve());
  });
  ended.catch(() => {});
  return { telling: { node, stop: () => settle(undefined), ended }, end: (error?: Error) => settle(error) };
}

test("an agent that was replaced is heard again, and the others all the time", async () => {
  const agents: ReturnType<typeof agent>[] = [];
  const notes: string[] = [];
  const pauses: (() => void)[] = [];
  let isThere = true;
  const followed = await followNodes(["a", "b"], {
    connect: async (node) => {
      if (!isThere) throw new Error(`node ${node}: no agent runs there`);
      const one = agent(node);
      agents.push(one);
      return one.telling;
    },
    pause: () => new Promise((resolve) => pauses.push(resolve)),
    note: (text) => notes.push(text),
  });
  const until = async (found: () => boolean) => {
    while (!found()) await new Promise((resolve) => setImmediate(resolve));
  };
  isThere = false;
  agents[0]?.end(new Error("node a: ended with 137"));
  await until(() => pauses.length === 1);
  expect([...followed.silent]).toEqual([["a", "node a: ended with 137"]]);
  pauses[0]?.();
  await until(() => pauses.length === 2);
  expect(followed.silent.get("a")).toBe("node a: no agent runs there");
  isThere = true;
  pauses[1]?.();
  await until(() => agents.length === 3);
  await until(() => followed.silent.size === 0);
  expect(notes).toEqual(["node a: ended with 137; it is tried again", "node a: its agent is heard again"]);
  await followed.stop();
});

test("a problem of all nodes is thrown, one of a single node is shown", async () => {
  const world = { pause: () => new Promise<void>(() => {}), note: () => {} };
  const connect = async (node: string) => {
    if (node !== "b") throw new Error(`node ${node}: error: unknown option '--from'`);
    return agent(node).telling;
  };
  await expect(followNodes(["a"], { ...world, connect })).rejects.toThrow("unknown option");
  const followed = await followNodes(["a", "b"], { ...world, connect });
  expect([...followed.silent.keys()]).toEqual(["a"]);
  await followed.stop();
});
