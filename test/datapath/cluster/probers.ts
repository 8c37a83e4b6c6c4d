import type { ChildProcess } from "node:child_process";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { AttemptResult, Probe } from "../../../probe/batch.ts";
import type { Batch, Heard } from "./prober.ts";

const program = join(import.meta.dirname, "prober.ts");

interface Waiting {
  readonly results: AttemptResult[];
  resolve(results: AttemptResult[]): void;
  reject(why: Error): void;
}

/** The probers of a cluster, one for each network namespace that is probed from. They end with their cluster. */
export class Probers {
  readonly #start: (machine: string, argv: string[]) => ChildProcess;
  readonly #probers = new Map<string, Prober>();

  /** @param start starts a program on a machine */
  constructor(start: (machine: string, argv: string[]) => ChildProcess) {
    this.#start = start;
  }

  /** @param namespace a named network namespace of the machine; undefined: the machine's own */
  send(machine: string, namespace: string | undefined, probes: Probe[]): Promise<AttemptResult[]> {
    const place = placeOf(machine, namespace);
    let prober = this.#probers.get(place);
    if (!prober) {
      const entering = namespace === undefined ? [] : ["nsenter", `--net=/run/netns/${namespace}`];
      prober = new Prober(place, this.#start(machine, [...entering, process.execPath, program]));
      this.#probers.set(place, prober);
    }
    return prober.send(probes);
  }

  /** The namespace goes away: another one may get its name. */
  end(machine: string, namespace: string): void {
    const place = placeOf(machine, namespace);
    this.#probers.get(place)?.end();
    this.#probers.delete(place);
  }

  close(): void {
    for (const prober of this.#probers.values()) prober.end();
  }
}

const placeOf = (machine: string, namespace: string | undefined) =>
  namespace ? `${namespace} on ${machine}` : machine;

class Prober {
  readonly #child: ChildProcess;
  readonly #waiting = new Map<number, Waiting>();
  #batches = 0;
  #said = "";
  #ended: Error | undefined;

  constructor(place: string, child: ChildProcess) {
    this.#child = child;
    child.stderr?.on("data", (chunk) => {
      this.#said = (this.#said + chunk).slice(-3000);
    });
    child.stdin?.on("error", () => {}); // its end says more
    if (child.stdout) createInterface(child.stdout).on("line", (line) => this.#hear(JSON.parse(line)));
    child.once("close", (code) => {
      this.#ended = new Error(`The prober of ${place} ended with ${code}: ${this.#said}`);
      for (const { reject } of this.#waiting.values()) reject(this.#ended);
    });
  }

  send(probes: Probe[]): Promise<AttemptResult[]> {
    if (this.#ended) return Promise.reject(this.#ended);
    const batch = ++this.#batches;
    return new Promise((resolve, reject) => {
      this.#waiting.set(batch, { results: [], resolve, reject });
      this.#child.stdin?.write(`${JSON.stringify({ batch, probes } satisfies Batch)}\n`);
    });
  }

  end(): void {
    this.#child.kill("SIGKILL");
  }

  #hear(heard: Heard): void {
    const waiting = this.#waiting.get(heard.batch);
    if ("result" in heard) {
      waiting?.results.push(heard.result);
    } else {
      this.#waiting.delete(heard.batch);
      waiting?.resolve(waiting.results);
    }
  }
}
