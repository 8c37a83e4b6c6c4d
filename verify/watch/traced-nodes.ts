import type { Step } from "../../agent/observe/events/step.ts";
import type { Telling } from "./agents.ts";
import type { Ask, AskedNode } from "./ask-nodes.ts";

/** Nodes that trace a connection. */
export interface TracedNodes {
  /** The steps that they have sent so far, in any order. */
  readonly steps: readonly Step[];
  /** Whether they are on one computer, whose clock they share. */
  readonly hasOneClock: boolean;
  /** Ends the trace on every node, and reads the rest of it. @returns each node, and why steps of it are missing */
  end(patienceMs?: number): Promise<AskedNode[]>;
}

/**
 * Starts a trace on every node, and comes back when all of them trace that can: a node that cannot be asked, or refuses, is missing at the end.
 * @throws Error with what a node says, if none traces
 */
export async function traceNodes(nodes: readonly string[], ask: Ask): Promise<TracedNodes> {
  const steps: Step[] = [];
  const boots = new Set<string>();
  const missing = new Map<string, string>();
  const tellings = new Map<string, Telling>();
  let isEnding = false;
  const lose = (node: string, { message }: Error) => missing.set(node, message.replace(`node ${node}: `, ""));
  const start = async (node: string): Promise<void> => {
    const begun = Promise.withResolvers<void>();
    const hear = (record: unknown) => {
      if (!isStart(record)) return void steps.push(record as Step);
      boots.add(record.boot);
      begun.resolve();
    };
    const telling = await ask(node, hear).catch((error: Error) => void lose(node, error));
    if (!telling) return;
    tellings.set(node, telling);
    telling.ended.then(
      () => {
        if (!isEnding) missing.set(node, "its agent ended before the trace did");
        begun.resolve();
      },
      (error: Error) => {
        lose(node, error);
        begun.resolve();
      },
    );
    await begun.promise;
  };
  const end = async (patienceMs?: number): Promise<AskedNode[]> => {
    isEnding = true;
    for (const telling of tellings.values()) telling.stop(patienceMs);
    await Promise.allSettled([...tellings.values()].map(({ ended }) => ended));
    for (const [node, { untold }] of tellings) {
      const why = untold?.();
      if (why !== undefined && !missing.has(node)) missing.set(node, why);
    }
    return nodes.toSorted().map((node) => {
      const problem = missing.get(node);
      return { node, ...(problem !== undefined && { problem }) };
    });
  };
  await Promise.all(nodes.map(start));
  const [first] = missing;
  if (first && missing.size === nodes.length) {
    await end();
    throw new Error(`node ${first[0]}: ${first[1]}`);
  }
  return {
    steps,
    end,
    get hasOneClock() {
      return boots.size === 1;
    },
  };
}

function isStart(record: unknown): record is { tracing: true; boot: string } {
  return typeof record === "object" && record !== null && "tracing" in record;
}
