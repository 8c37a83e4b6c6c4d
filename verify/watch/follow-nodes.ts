import type { Telling } from "./agents.ts";

/** How long to wait before an agent that disappeared is looked for again, ms. */
const AGAIN_MS = 3000;

export interface FollowedNodes {
  /** Why no flows arrive from a node, by its name. */
  readonly silent: ReadonlyMap<string, string>;
  stop(): Promise<void>;
}

interface World {
  /** Connects to a node's agent. Rejects if there is none. */
  connect(node: string): Promise<Telling>;
  pause(ms: number): Promise<void>;
  /** Reports what happened to a node. */
  note(text: string): void;
}

/** Reads from each node, and connects again when its agent was replaced. Rejects with the first node's problem if no node can be read at
 * first. */
export async function followNodes(nodes: readonly string[], world: World): Promise<FollowedNodes> {
  const silent = new Map<string, string>();
  const heard = new Map<string, Telling>();
  let stopping = false;
  const listen = async (node: string): Promise<void> => {
    try {
      const telling = await world.connect(node);
      if (silent.delete(node)) world.note(`node ${node}: its agent is heard again`);
      heard.set(node, telling);
      if (stopping) telling.stop();
    } catch (error) {
      silent.set(node, (error as Error).message);
      throw error;
    }
  };
  const stay = async (node: string): Promise<void> => {
    while (!stopping) {
      const ended = await heard.get(node)?.ended.then(
        () => `node ${node}: its agent ended`,
        (error: Error) => error.message,
      );
      heard.delete(node);
      if (stopping) return;
      if (ended !== undefined) {
        silent.set(node, ended);
        world.note(`${ended.replace(/\.$/, "")}; it is tried again`);
      }
      await world.pause(AGAIN_MS);
      if (!stopping) await listen(node).catch(() => {});
    }
  };
  const begun = await Promise.allSettled(nodes.map(listen));
  const failed = begun.find(({ status }) => status === "rejected") as PromiseRejectedResult | undefined;
  if (failed && heard.size === 0) throw failed.reason;
  const staying = nodes.map(stay);
  return {
    silent,
    stop: async () => {
      stopping = true;
      for (const one of heard.values()) one.stop();
      await Promise.all([...heard.values()].map(({ ended }) => ended.catch(() => {})));
      void Promise.allSettled(staying);
    },
  };
}
