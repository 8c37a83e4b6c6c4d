import type { Health } from "./observe/health.ts";
import type { Logger } from "./observe/log.ts";

/** What is done again and again. That it fails once ends nothing; that it fails for long, the node is not ready. */
export class Watchdog {
  readonly #health: Pick<Health, "is">;
  readonly #log: Pick<Logger, "error" | "info">;

  constructor(health: Pick<Health, "is">, log: Pick<Logger, "error" | "info">) {
    this.#health = health;
    this.#log = log;
  }

  /** Does `work` every `ms` milliseconds; `what` completes "cannot …". A failure is said when it begins and when it ends. */
  readonly regularly = (what: string, ms: number, work: () => void): NodeJS.Timeout => {
    let said = "";
    return setInterval(() => {
      let message = "";
      try {
        work();
      } catch (error) {
        message = error instanceof Error ? error.message : String(error);
      }
      if (message && message !== said) this.#log.error(`cannot ${what}: ${message}`);
      if (!message && said) this.#log.info(`no longer: cannot ${what}`);
      said = message;
      this.#health.is(`the agent cannot ${what}: ${message}`, message !== "", what);
    }, ms);
  };
}
