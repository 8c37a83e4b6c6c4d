import { existsSync, readFileSync, rmSync } from "node:fs";
import type { IncomingMessage, ServerResponse } from "node:http";
import { z } from "zod";
import type { Problem } from "../../model/problem.ts";
import type { HealthCheck } from "../../model/service/health-check.ts";
import type { NodeHealth } from "../compile/desired.ts";
import type { Logger } from "../observe/log.ts";
import { replacePrivately } from "../run-folder/private-files.ts";
import { answerProxy, answerService } from "./answers.ts";
import { Listeners } from "./listeners.ts";

export interface HealthCheckOptions {
  readonly node: string;
  /** kube-proxy's, for load balancers of Services with externalTrafficPolicy Cluster; 0: none. */
  readonly proxyPort: number;
  /** Where the last state is kept, for the next agent. */
  readonly memory: string;
  readonly log: Pick<Logger, "warn">;
}

/** A change that waits longer makes the node unhealthy, as with kube-proxy: ms. */
const STALE_MS = 60_000;
/** How long a kube-proxy that is being removed may still have the port before that is reported: ms. */
const LASTING_MS = 30_000;

const saved = z.object({
  checks: z.array(z.object({ namespace: z.string(), name: z.string(), port: z.int(), localEndpoints: z.int() })),
  leaving: z.boolean(),
});

/** Answers load balancers that ask which nodes may get connections: at the Services' health check ports and at
 * kube-proxy's own port. Nothing answers while kube-proxy handles services. */
export class HealthChecks {
  /** How long a change has been waiting for the kernel, in ms. */
  waitingMs: () => number = () => 0;
  readonly #options: HealthCheckOptions;
  readonly #listeners = new Listeners();
  #checks = new Map<number, HealthCheck>();
  #leaving = false;
  #updated = new Date();
  #proxyTakenSince: number | undefined;
  #kept = "";
  #reported = "";

  constructor(options: HealthCheckOptions) {
    this.#options = options;
  }

  /** Answers as the previous agent did, until apply() is called: load balancers do not notice a restart, also while the API
   * server cannot be reached. */
  async restore(): Promise<void> {
    const { memory } = this.#options;
    if (!existsSync(memory)) return;
    try {
      await this.#listen(saved.parse(JSON.parse(readFileSync(memory, "utf8"))));
    } catch (error) {
      this.#warn(`${memory} is not readable (${error instanceof Error ? error.message : error}): health checks wait`);
    }
  }

  /** The kernel now has the state that belongs to these answers. @returns problems with ports that could not be opened; the next call
   * tries them again */
  async apply(health: NodeHealth | undefined): Promise<readonly Problem[]> {
    this.#updated = new Date();
    const problems = await this.#listen(health);
    this.#keep(health);
    return problems;
  }

  async #listen(health: NodeHealth | undefined): Promise<readonly Problem[]> {
    const { proxyPort } = this.#options;
    this.#leaving = health?.leaving ?? false;
    this.#checks = new Map(health?.checks.map((check) => [check.port, check]));
    const wanted = new Set([...this.#checks.keys(), ...(health && proxyPort ? [proxyPort] : [])]);
    for (const port of this.#listeners.ports) if (!wanted.has(port)) await this.#listeners.close(port);
    const problems: Problem[] = [];
    for (const port of wanted) {
      if (this.#listeners.ports.includes(port)) continue;
      const reason = await this.#open(port);
      if (reason !== undefined && port !== proxyPort) problems.push(...this.#taken(port, reason));
      if (port === proxyPort) problems.push(...this.#proxyTaken(reason));
    }
    return problems;
  }

  async #open(port: number): Promise<string | undefined> {
    try {
      await this.#listeners.open(port, (request, response) => this.#answer(port, request, response));
      return undefined;
    } catch (error) {
      return error instanceof Error ? error.message : String(error);
    }
  }

  #answer(port: number, { url }: IncomingMessage, response: ServerResponse): void {
    const isHealthy = this.waitingMs() < STALE_MS;
    const check = this.#checks.get(port);
    if (check) return void answerService(response, check, isHealthy);
    answerProxy(url ?? "", response, { isHealthy, leaving: this.#leaving, lastUpdated: this.#updated });
  }

  #taken(port: number, reason: string): Problem[] {
    const check = this.#checks.get(port);
    if (!check) return [];
    const { namespace, name } = check;
    const message =
      `port ${port} cannot be opened on node ${this.#options.node} (${reason}): load balancers send it no connections. ` +
      "Next: end the program that uses the port, or choose another healthCheckNodePort.";
    return [{ kind: "Service", namespace, name, path: "spec.healthCheckNodePort", message }];
  }

  #proxyTaken(reason: string | undefined): Problem[] {
    if (reason === undefined) this.#proxyTakenSince = undefined;
    else this.#proxyTakenSince ??= performance.now();
    if (this.#proxyTakenSince === undefined || performance.now() - this.#proxyTakenSince < LASTING_MS) return [];
    const message =
      `port ${this.#options.proxyPort} cannot be opened (${reason}): another program answers the health checks of load ` +
      "balancers, or none does. Next: end the program that uses the port, for example a kube-proxy.";
    return [{ kind: "Node", name: this.#options.node, path: "status", message }];
  }

  #keep(health: NodeHealth | undefined): void {
    const { memory } = this.#options;
    const text = JSON.stringify(health ?? null);
    if (text === this.#kept) return;
    try {
      if (health) replacePrivately(memory, text);
      else rmSync(memory, { force: true });
      this.#kept = text;
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      this.#warn(`health checks wait after a restart, until the cluster is read: ${reason}`);
    }
  }

  #warn(message: string): void {
    if (message !== this.#reported) this.#options.log.warn(message);
    this.#reported = message;
  }
}
