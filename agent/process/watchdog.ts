import type { Health } from "../observe/health.ts";
import type { Logger } from "../observe/log.ts";

/** Runs periodic work. A single failure has no effect; a lasting one makes the node unready. */
export class Watchdog {
  readonly #health: Pick<Health, "is">;
  readonly #log: Pick<Logger, "error" | "info">;

  constructor(health: Pick<Health, "is">, log: Pick<Logger, "error" | "info">) {
    this.#health = health;
    this.#log = log;
  }

  /** Does `work` every `ms` milliseconds, unless the work before still goes on; `what` completes "cannot …". A failure is logged when it begins and
   * when it ends. */
  readonly regularly = (what: string, ms: number, work: () => void | Promise<void>): NodeJS.Timeout => {
    let reported = "";
    const ended = (message: string) => {
      if (message && message !== reported) this.#log.error(`cannot ${what}: ${message}`);
      if (!message && reported) this.#log.info(`resolved: cannot ${what}`);
      reported = message;
      this.#health.is(`the agent cannot ${what}: ${message}`, message !== "", what);
    };
    const failed = (error: unknown) => ended(error instanceof Error ? error.message : String(error));
    let goesOn = false;
    return setInterval(() => {
      if (goesOn) return;
      try {
        const working = work();
        if (!working) return ended("");
        goesOn = true;
        void working
          .then(() => ended(""), failed)
          .finally(() => {
            goesOn = false;
          });
      } catch (error) {
        failed(error);
      }
    }, ms);
  };
}
