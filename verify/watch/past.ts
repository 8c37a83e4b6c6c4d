// What the nodes tell of the past, where `--since` asks for it.
import type { HistoryLine } from "../../agent/observe/events/flow-stream.ts";
import { NoCluster } from "../connect.ts";

/** Whether the nodes have told their past. If none can, that is the answer: an empty screen would say that nothing happened. */
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

/** Says things when it is known that there is something to watch: why there is nothing is said once, by who asked. */
export function onceBegun(began: Promise<void>, say: (text: string) => void): (text: string) => void {
  const waiting: string[] = [];
  let tell = (text: string): void => {
    waiting.push(text);
  };
  began.then(
    () => {
      tell = say;
      for (const text of waiting) say(text);
    },
    () => {
      tell = () => {};
    },
  );
  return (text) => tell(text);
}

/** What the nodes do not know any more. */
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
