import type { BgpPlan, BgpSession } from "../../model/bgp/plan.ts";
import { Latest } from "../../model/memo.ts";
import type { Problem } from "../../model/problem.ts";
import type { CountedSession } from "../observe/bgp-metrics.ts";
import type { Logger } from "../observe/log.ts";
import { BIRD_FILE, BIRD_SOCKET, runFile } from "../options.ts";
import type { Secrets } from "../watch/secrets.ts";
import { birdConfiguration, MOST_ROUTES, sessionName } from "./configuration.ts";
import { BirdDaemon } from "./daemon.ts";
import { NO_PASSWORDS, passwordsOf } from "./passwords.ts";
import { hasEnded, type SessionState, sessionStates } from "./states.ts";

export interface BgpOptions {
  readonly node: string;
  readonly runDirectory: string;
  readonly log: Logger;
}

/** How long a session may be down before it is reported: ms. */
const LASTING_MS = 60_000;
/** A session that ends so many times in so long, ms, is reported although it is established again each time. */
const [MANY_ENDS, RECENT_MS] = [3, 600_000];
/** The share of the routes that a peer may tell with which it has room again: others are asked for. */
const ROOM_AGAIN = 0.9;

/** This node's part of BGP: BIRD follows the plan, and its sessions are watched. */
export class Bgp {
  readonly #options: BgpOptions;
  readonly #daemon: BirdDaemon;
  #plan: BgpPlan | undefined;
  #passwords = NO_PASSWORDS;
  readonly #texts = new Latest<string>();
  /** The plan that BIRD follows now. */
  #text = "";
  #states: ReadonlyMap<string, SessionState> = new Map();
  readonly #downSince = new Map<string, number>();
  readonly #lastSeen = new Map<string, SessionState>();
  /** When sessions ended lately, and why as far as BIRD said. */
  readonly #ends = new Map<string, { times: number[]; reason: string | undefined }>();

  constructor(options: BgpOptions) {
    this.#options = options;
    this.#daemon = new BirdDaemon(runFile(options, BIRD_FILE), runFile(options, BIRD_SOCKET));
  }

  /** Makes BIRD follow the plan. A plan that BIRD refuses is reported, and tried again with the next call. */
  async apply(plan: BgpPlan | undefined, secrets: Secrets): Promise<readonly Problem[]> {
    this.#plan = plan;
    const sessions = plan?.sessions ?? [];
    secrets.follow(new Set(sessions.flatMap(({ password }) => password?.name ?? [])));
    this.#passwords = passwordsOf(sessions, ({ name, key }) => secrets.valueOf(name, key), this.#passwords.good);
    const failure = await this.#follow(plan).then(
      () => [],
      (error: unknown) => [this.#failure(error)],
    );
    return [...this.#passwords.problems, ...this.#problems(), ...failure];
  }

  #failure(error: unknown): Problem {
    this.#text = "";
    const message = `BGP: ${error instanceof Error ? error.message : error}. What was announced and learned before stays.`;
    return { kind: "Node", name: this.#options.node, path: "status", message };
  }

  /** Reads BIRD's state; without BIRD there are no sessions. Calls `changed` if a problem appeared or is resolved, and if BIRD ended. */
  look(changed: () => void): void {
    if (!this.#plan) return;
    if (!this.#daemon.runs) changed();
    void this.#look().then((differs) => differs && changed());
  }

  async #look(): Promise<boolean> {
    const before = JSON.stringify(this.#problems());
    this.#states = await this.#daemon.ask("show protocols all").then(sessionStates, () => new Map());
    const now = performance.now();
    const names = new Set(this.sessions.map(({ session }) => sessionName(session)));
    for (const known of [this.#downSince, this.#ends, this.#lastSeen])
      for (const name of known.keys()) if (!names.has(name)) known.delete(name);
    for (const name of names) {
      this.#noteEnd(name, now);
      if (this.#states.get(name)?.established) this.#downSince.delete(name);
      else if (!this.#downSince.has(name)) this.#downSince.set(name, now);
    }
    for (const name of names) await this.#takeAgain(name);
    return JSON.stringify(this.#problems()) !== before;
  }

  /** BIRD ignores further routes of a peer that told too many until it is told to ask again. */
  async #takeAgain(name: string): Promise<void> {
    const state = this.#states.get(name);
    if (!state?.established || !state.isLimited || state.imported > MOST_ROUTES * ROOM_AGAIN) return;
    const answer = await this.#daemon.ask(`reload in ${name}`).catch(() => undefined);
    // A peer that tells its routes once, and never again.
    if (answer && answer.code >= 8000) await this.#daemon.ask(`restart ${name}`).catch(() => undefined);
  }

  #noteEnd(name: string, now: number): void {
    const state = this.#states.get(name);
    if (!state) return; // a BIRD that is busy does not answer in time
    const former = this.#lastSeen.get(name) ?? state;
    this.#lastSeen.set(name, state);
    const { times = [], reason } = this.#ends.get(name) ?? {};
    const recent = times.filter((time) => now - time < RECENT_MS);
    if (hasEnded(former, state)) recent.push(now);
    if (recent.length > 0) this.#ends.set(name, { times: recent, reason: state.reason ?? reason });
    else this.#ends.delete(name);
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
    // BIRD keeps the routes of earlier sessions only for the sessions with which it starts. So the agent waits until it knows their
    // passwords.
    if (this.#passwords.incomplete && !this.#daemon.runs) return;
    const { bySession } = this.#passwords;
    const text = this.#texts.get([plan, JSON.stringify([...bySession])], () => birdConfiguration(plan, bySession));
    if (text === this.#text && this.#daemon.runs) return;
    await this.#daemon.follow(text);
    this.#ends.clear(); // this node may have ended them
    this.#text = text;
    this.#options.log.info(`BGP: ${plan.sessions.length} sessions, ${plan.blocks.length} blocks announced`);
  }

  #problems(): Problem[] {
    return [...this.#downProblems(), ...this.#limited()];
  }

  #limited(): Problem[] {
    return this.sessions.flatMap(({ session: { peer, owner }, state }) => {
      if (!state?.isLimited) return [];
      const message = `node ${this.#options.node} follows no more than ${MOST_ROUTES} routes of ${peer}, which announces others too: those are ignored. Next: have it announce fewer, such as a default route, or reject some by a BGPFilter.`;
      return [{ ...owner, path: "spec", message }];
    });
  }

  #downProblems(): Problem[] {
    const now = performance.now();
    // A session without its password is left out, which is reported elsewhere.
    const lacksPassword = (session: BgpSession) =>
      session.password !== undefined && !this.#passwords.bySession.has(sessionName(session));
    return this.sessions.flatMap(({ session, state }) => {
      const { peer, peerAs, owner } = session;
      const since = this.#downSince.get(sessionName(session));
      if (since === undefined || now - since < LASTING_MS || lacksPassword(session)) return this.#flapping(session);
      const reason = state?.reason ? ` (${state.reason})` : "";
      const same = session.password ? ", and has the same password" : "";
      const message = `node ${this.#options.node} has no session with ${peer} as AS ${peerAs}: ${state?.state ?? "BIRD does not run"}${reason}. Next: look whether the peer is reached at its port${same}, and what it says of this node.`;
      return [{ ...owner, path: "spec", message }];
    });
  }

  #flapping(session: BgpSession): Problem[] {
    const { peer, peerAs, owner } = session;
    const { times = [], reason } = this.#ends.get(sessionName(session)) ?? {};
    if (times.length < MANY_ENDS) return [];
    const message = `the session of node ${this.#options.node} with ${peer} as AS ${peerAs} has ended ${MANY_ENDS} times or more within ten minutes${reason ? ` (${reason})` : ""}. Next: look what the peer says of this node, how many routes it tells, and whether the link to it is stable.`;
    return [{ ...owner, path: "spec", message }];
  }
}
