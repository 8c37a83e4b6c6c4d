import type { Telling } from "./agents.ts";

/** A node that was asked. */
export interface AskedNode {
  readonly node: string;
  /** Why its answer is missing, or not whole. */
  readonly problem?: string;
}

/** Asks a node; rejects if it cannot be asked. What `hear` throws ends its answer. */
export type Ask = (node: string, hear: (record: unknown) => void) => Promise<Telling>;

/** Called for a node that no longer sends anything. */
const SILENCE_MS = 120_000;

/** Reads each node's answer to its end. A node that does not answer has a problem, and does not stop the others. */
export function askNodes(
  nodes: readonly string[],
  ask: Ask,
  hear: (record: unknown, node: string) => void,
  silenceMs = SILENCE_MS,
): Promise<AskedNode[]> {
  const whole = async (node: string): Promise<void> => {
    const silence = Promise.withResolvers<never>();
    const late = () => silence.reject(new Error(`said nothing for ${Math.round(silenceMs / 1000)} s`));
    const timer = setTimeout(late, silenceMs);
    let isHeard = true;
    const asking = ask(node, (record) => {
      timer.refresh();
      if (isHeard) hear(record, node);
    });
    try {
      await Promise.race([asking.then(({ ended }) => ended), silence.promise]);
    } finally {
      clearTimeout(timer);
      isHeard = false;
      asking.then(({ stop }) => stop()).catch(() => {}); // its problem is known
    }
  };
  const asked = async (node: string): Promise<AskedNode> =>
    whole(node).then(
      () => ({ node }),
      (error: Error) => ({ node, problem: error.message.replace(`node ${node}: `, "") }),
    );
  return Promise.all(nodes.toSorted().map(asked));
}

/** Names the nodes that are missing. @returns the exit status: 1 if some are, 2 if all */
export function sayMissing(asked: readonly AskedNode[], consequence: string): number {
  const missing = asked.filter(({ problem }) => problem !== undefined);
  for (const { node, problem } of missing) console.error(`node ${node}: ${problem}`);
  if (missing.length === 0) return 0;
  console.error(`${missing.length} of ${asked.length} nodes are missing: ${consequence}`);
  return missing.length === asked.length ? 2 : 1;
}
