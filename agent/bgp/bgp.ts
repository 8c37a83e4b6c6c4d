import type { BgpPlan, BgpSession } from "../../model/bgp/plan.ts";
import { Latest } from "../../model/memo.ts";
import type { Problem } from "../../model/problem.ts";
import type { CountedSession } from "../observe/bgp-metrics.ts";
import type { Logger } from "../observe/log.ts";
import { BIRD_FILE, BIRD_SOCKET, runFile } from "../options.ts";
import { birdConfiguration, sessionName } from "./configuration.ts";
import { BirdDaemon } from "./daemon.ts";
import { type SessionState, sessionStates } from "./states.ts";

export interface BgpOptions {
  readonly node: string;
  readonly runDirectory: string;
  readonly log: Logger;
}

/** A session that is not established for longer is reported: ms. */
const LASTING_MS = 60_000;

/** This node's part of BGP: BIRD follows the plan, and its sessions are watched. */
export class Bgp {
  readonly #options: BgpOptions;
  readonly #daemon: BirdDaemon;
  #plan: BgpPlan | undefined;
  readonly #texts = new Latest<string>();
  /** What BIRD follows. */
  #text = "";
  #states: ReadonlyMap<string, SessionState> = new Map();
  readonly #downSince = new Map<string, number>();

  constructor(options: BgpOptions) {
    this.#options = options;
    this.#daemon = new BirdDaemon(runFile(options, BIRD_FILE), runFile(options, BIRD_SOCKET));
  }

  /** Follows the plan; what BIRD does not take is reported, and tried again with the next call. */
  async apply(plan: BgpPlan | undefined): Promise<readonly Problem[]> {
    this.#plan = plan;
    try {
      await this.#follow(plan);
    } catch (error) {
      this.#text = "";
      const message = `BGP: ${error instanceof Error ? error.message : error}. What was announced and learned before stays.`;
      return [...this.#downProblems(), { kind: "Node", name: this.#options.node, path: "status", message }];
    }
    return this.#downProblems();
  }

  /** Reads BIRD's state; without BIRD there are no sessions. `changed` is called if something is to be reported that was not, or the reverse, and if BIRD ended. */
  look(changed: () => void): void {
    if (!this.#plan) return;
    if (!this.#daemon.runs) changed();
    void this.#look().then((differs) => differs && changed());
  }

  async #look(): Promise<boolean> {
    const before = JSON.stringify(this.#downProblems());
    this.#states = await this.#daemon.ask("show protocols").then(sessionStates, () => new Map());
    const now = performance.now();
    const names = new Set(this.sessions.map(({ session }) => sessionName(session)));
    for (const name of this.#downSince.keys()) if (!names.has(name)) this.#downSince.delete(name);
    for (const name of names) {
      if (this.#states.get(name)?.established) this.#downSince.delete(name);
      else if (!this.#downSince.has(name)) this.#downSince.set(name, now);
    }
    return JSON.stringify(this.#downProblems()) !== before;
  }

  /** As of the last look. */
  get sessions(): readonly { readonly session: BgpSession; readonly state: SessionState | undefined }[] {
    return (this.#plan?.sessions ?? []).map((session) => ({ session, state: this.#states.get(sessionName(session)) }));
  }

  get counted(): readonly CountedSession[] {
    return this.sessions.map(({ session: { peer }, state }) => ({ peer, established: state?.established ?? false }));
  }

  /** For an agent that is replaced: the next one starts BIRD again, and peers keep this node's routes until then. */
  end(): Promise<void> {
    return this.#daemon.end("graceful");
  }

  async #follow(plan: BgpPlan | undefined): Promise<void> {
    if (!plan) {
      await this.#daemon.end("finally");
      this.#text = "";
      return;
    }
    const text = this.#texts.get([plan], () => birdConfiguration(plan, new Map()));
    if (text === this.#text && this.#daemon.runs) return;
    await this.#daemon.follow(text);
    this.#text = text;
    this.#options.log.info(`BGP: ${plan.sessions.length} sessions, ${plan.blocks.length} blocks announced`);
  }

  #downProblems(): Problem[] {
    const now = performance.now();
    return this.sessions.flatMap(({ session, state }) => {
      const since = this.#downSince.get(sessionName(session));
      // Without its password there is none, which is told by the plan's problems.
      if (since === undefined || now - since < LASTING_MS || session.password) return [];
      const { peer, peerAs, owner } = session;
      const reason = state?.reason ? ` (${state.reason})` : "";
      const message = `node ${this.#options.node} has no session with ${peer} as AS ${peerAs}: ${state?.state ?? "BIRD does not run"}${reason}. Next: look whether the peer is reached at its port, and what it says of this node.`;
      return [{ ...owner, path: "spec", message }];
    });
  }
}
