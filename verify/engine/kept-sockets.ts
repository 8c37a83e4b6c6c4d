import type { AttemptResult, Probe } from "../../probe/batch.ts";
import type { KeptSockets, Prepared } from "../actors/actor.ts";
import type { Prober } from "./plan.ts";
import type { World } from "./world.ts";

/** The probers of a check that keep sockets open over its steps: one for each machine and node, started when it is first needed. */
export class KeptProbers {
  readonly #world: Pick<World, "machine" | "node">;
  readonly #running = new Map<string, KeptSockets>();
  /** Why a prober was lost, and its sockets with it: another one would open new sockets unnoticed. */
  readonly #lost = new Map<string, Error>();
  #step = 0;

  constructor(world: Pick<World, "machine" | "node">) {
    this.#world = world;
  }

  /** Connections whose end was reported earlier are replaced from now on. */
  nextStep(): void {
    this.#step++;
  }

  /** Starts the prober if it does not run. @throws Error when it cannot be reached or was lost */
  async prepare(prober: Prober, batch: Probe[]): Promise<Prepared> {
    const key = `${prober.kind}/${prober.name}`;
    const lost = this.#lost.get(key);
    if (lost) throw lost;
    const actor = prober.kind === "machine" ? this.#world.machine(prober.name) : this.#world.node(prober.name);
    const running = this.#running.get(key) ?? (await actor.keep());
    this.#running.set(key, running);
    const send = async (): Promise<AttemptResult[]> => {
      try {
        return await running.send(batch.map((probe) => ({ ...probe, keep: keepOf(probe, Math.max(1, this.#step)) })));
      } catch (error) {
        const why = new Error(`${(error as Error).message}; the sockets that were kept there are closed`);
        this.#lost.set(key, why);
        throw why;
      }
    };
    return { send };
  }

  async close(): Promise<void> {
    await Promise.all([...this.#running.values()].map((running) => running.close().catch(() => {})));
  }
}

const keepOf = ({ keep }: Probe, step: number): Probe["keep"] => keep && { ...keep, step };
