// Reads the past from the nodes, if `--since` asks for it.
import type { HistoryLine } from "../../agent/observe/events/flow-stream.ts";
import { NoCluster } from "../connect.ts";

/** Whether the nodes have sent their past. If none can, that is the answer: an empty screen would say that nothing happened. */
export class Began {
  readonly #asked: number;
  readonly #open: Set<string>;
  readonly #problems: string[] = [];
  readonly #outcome = Promise.withResolvers<void>();

  constructor(nodes: readonly string[]) {
    this.#asked = nodes.length;
    this.#open = new Set(nodes);
    if (nodes.length === 0) this.#outcome.resolve();
    this.done.catch(() => {}); // handled where it is awaited
  }

  /** @throws NoCluster */
  get done(): Promise<void> {
    return this.#outcome.promise;
  }

  told(node: string, problem?: string): void {
    if (!this.#open.delete(node)) return;
    if (problem !== undefined) this.#problems.push(problem);
    if (this.#open.size > 0) return;
    if (this.#problems.length < this.#asked) this.#outcome.resolve();
    else this.#outcome.reject(new NoCluster(this.#problems[0]));
  }
}

/** How many messages about nodes are kept before all have begun. Each text is short: a line of numbers, or the end of an error stream. */
const MOST_WAITING = 1000;

/** Prints messages once it is known that there is something to watch. If there is nothing, the caller prints the reason once. If there
 * are too many messages, the latest are printed. */
export function onceBegun(
  began: Promise<void>,
  say: (text: string) => void,
  most = MOST_WAITING,
): (text: string) => void {
  const waiting: string[] = [];
  let leftOut = 0;
  let tell = (text: string): void => {
    if (waiting.push(text) <= most) return;
    waiting.shift();
    leftOut++;
  };
  began.then(
    () => {
      tell = say;
      if (leftOut > 0)
        say(`${leftOut} earlier messages about nodes are left out: there were too many before all nodes had begun`);
      for (const text of waiting.splice(0)) say(text);
    },
    () => {
      tell = () => {};
      waiting.length = 0;
    },
  );
  return (text) => tell(text);
}

/** For a node that is silent while it should send its past, and for all of what it sends. */
const PATIENCE = { silenceMs: 120_000, wholeMs: 600_000 };

/** Ends the wait for nodes that are silent, or that send without an end: one node must not keep the flows of all others from the screen. */
export class Silences {
  /** For each awaited node: the time since it last sent something, and since it was asked. */
  readonly #timers: Map<string, readonly [NodeJS.Timeout, NodeJS.Timeout]>;

  /** @param late is called with the node that is no longer awaited, the reason in words, and whether it was still sending */
  constructor(
    nodes: readonly string[],
    late: (node: string, problem: string, wasTelling: boolean) => void,
    { silenceMs, wholeMs } = PATIENCE,
  ) {
    const seconds = (ms: number) => `${Math.round(ms / 1000)} s`;
    const silent = (node: string) =>
      late(node, `node ${node}: it said nothing of its past for ${seconds(silenceMs)}`, false);
    const endless = (node: string) =>
      late(node, `node ${node}: it told of its past for ${seconds(wholeMs)} without an end`, true);
    this.#timers = new Map(
      nodes.map((node) => [
        node,
        [setTimeout(silent, silenceMs, node).unref(), setTimeout(endless, wholeMs, node).unref()],
      ]),
    );
  }

  /** The node sent something. */
  heard(node: string): void {
    this.#timers.get(node)?.[0].refresh();
  }

  /** Nothing more is waited for. */
  told(node: string): void {
    for (const timer of this.#timers.get(node) ?? []) clearTimeout(timer);
    this.#timers.delete(node); // to refresh a timer that was cleared would begin it again
  }
}

/** The part of the past that the nodes no longer have. */
export class Past {
  #missing = 0;

  add({ history: { pushedOut, missed } }: HistoryLine): void {
    this.#missing += Object.values(pushedOut).reduce((sum, number) => sum + number, missed);
  }

  text(dropped: number): string {
    const all = this.#missing + dropped;
    return all > 0 ? ` (without ${all} flows that there was no room for)` : "";
  }
}
