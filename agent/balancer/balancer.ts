// This node's part of the load balancer: it assigns addresses if that is its task, and announces those that it has.
import type { StreamingApi } from "../../kubernetes/transport.ts";
import type { Address } from "../../model/address/address.ts";
import { Latest } from "../../model/memo.ts";
import type { NodeFacts } from "../../model/node/facts.ts";
import type { Problem } from "../../model/problem.ts";
import { balance } from "../../model/service/balancer/claimants.ts";
import type { Logger } from "../observe/log.ts";
import type { SnapshotStore } from "../watch/snapshot-store.ts";
import { Announcer, type AnnouncerParts } from "./announcer.ts";
import { Holder } from "./holder.ts";
import { LeaseWatch } from "./lease-watch.ts";
import { Leases, type OwningNode } from "./leases.ts";
import { ASSIGNING, Ownership, SILENCE_MS } from "./ownership.ts";
import { SolicitedGroups } from "./solicited-groups.ts";
import { Statuses } from "./statuses.ts";
import { leaseOf, type Wanted, WantedKeys } from "./wanted-keys.ts";

/** How often silent holders are looked for. Changes of Leases are followed at once. */
const TICK_MS = 100;
/** How often announcements are renewed; without that they expire (announcer.ts). */
const ANNOUNCE_MS = 400;
/** How often statuses are written again: one that could not be written, or that another controller changed. */
const ASSIGN_AGAIN_MS = 2_000;
/** How many Services whose status is refused are named at a time. */
const REFUSALS_NAMED = 3;
const NOT_WRITTEN = "cannot write load balancer addresses to a Service's status";
/** How long an agent that ends still answers for its addresses, until other nodes have taken them over. */
const HANDOVER_MS = 1_000;

export interface BalancerParts extends AnnouncerParts {
  readonly node: string;
  readonly api: StreamingApi;
  /** Of the agents' Leases. */
  readonly namespace: string;
  readonly store: Pick<SnapshotStore, "list">;
  readonly owner: () => OwningNode | undefined;
  readonly facts: () => NodeFacts | undefined;
  readonly problemsChanged: () => void;
  readonly log: Pick<Logger, "info" | "warn">;
}

export class Balancer {
  /** Problems of Services whose addresses this node assigns. */
  problems: readonly Problem[] = [];
  /** The addresses that this node announces. */
  announced: ReadonlySet<Address> = new Set();
  readonly #parts: BalancerParts;
  readonly #ownership: Ownership;
  readonly #holder: Holder;
  readonly #watch: LeaseWatch;
  readonly #statuses: Statuses;
  readonly #announcer: Announcer;
  readonly #groups = new SolicitedGroups();
  readonly #wanted: WantedKeys;
  readonly #balance = new Latest<ReturnType<typeof balance>>();
  readonly #said = new Set<string>();
  /** The objects from which addresses were assigned last, and when. */
  #assigned: { by: Wanted; at: number } | undefined;
  #isAssigning = false;
  #isEnding = false;

  constructor(parts: BalancerParts) {
    const { node, api, namespace, owner, store, log } = parts;
    this.#parts = parts;
    this.#ownership = new Ownership(node);
    const changed = () => this.#tick();
    this.#watch = new LeaseWatch(api, namespace, this.#ownership, changed, log);
    const leases = new Leases(api, namespace, Math.ceil(SILENCE_MS / 1000));
    const lost = () => this.#watch.restart();
    this.#holder = new Holder({ node, owner, ownership: this.#ownership, leases, lost, changed, log });
    this.#statuses = new Statuses(api);
    this.#announcer = new Announcer(parts);
    this.#wanted = new WantedKeys(store);
  }

  /** Runs until the process ends. Announcing does not wait for the API server. */
  start(): void {
    setInterval(() => this.#announce(), ANNOUNCE_MS);
    setInterval(() => this.#tick(), TICK_MS);
    void this.#watch.run();
    void this.#holder.renew();
  }

  /** Gives this node's addresses back, and answers for them until others have them. */
  async end(): Promise<void> {
    this.#isEnding = true;
    await this.#holder.giveBack();
    const end = performance.now() + HANDOVER_MS;
    while (this.announced.size > 0 && performance.now() < end) await new Promise((resolve) => setTimeout(resolve, 50));
    this.#isNow(new Set());
  }

  #tick(): void {
    const facts = this.#parts.facts();
    if (!facts) return;
    const wanted = this.#wanted.now(facts);
    const own = this.#holder.step(wanted.keys);
    const left = this.#isEnding ? [...this.announced].filter((one) => !this.#ownership.isAnothers(leaseOf(one))) : [];
    this.#isNow(new Set([...left, ...[...own].flatMap((key) => wanted.addresses.get(key) ?? [])]));
    if (own.has(ASSIGNING)) this.#assign(wanted);
    else this.#report([]);
  }

  #assign(wanted: Wanted): void {
    const now = performance.now();
    const isDone = this.#assigned?.by === wanted && now - this.#assigned.at < ASSIGN_AGAIN_MS;
    if (isDone || this.#isAssigning) return;
    this.#assigned = { by: wanted, at: now };
    const { store } = this.#parts;
    const [services, reservations] = [store.list("services"), store.list("ipReservations")];
    const { changes, problems } = this.#balance.get([services, wanted.pools, wanted.nodes, reservations], () =>
      balance(services, wanted.pools, wanted.nodes, reservations),
    );
    this.#report([...problems, ...this.#statuses.problems]);
    this.#isAssigning = true;
    void this.#statuses
      .write(changes)
      .then((refused) => {
        for (const reason of refused.slice(0, REFUSALS_NAMED)) this.#warnOnce(`${NOT_WRITTEN}: ${reason}`);
      })
      .catch((error) => this.#warnOnce(`${NOT_WRITTEN}: ${error.message}`))
      .finally(() => {
        this.#isAssigning = false;
      });
  }

  #isNow(announced: ReadonlySet<Address>): void {
    const came = [...announced].filter((address) => !this.announced.has(address));
    const went = [...this.announced].filter((address) => !announced.has(address));
    if (came.length + went.length === 0) return;
    for (const address of came) this.#parts.log.info(`announcing the load balancer address ${address}`);
    for (const address of went) this.#parts.log.info(`no longer announcing the load balancer address ${address}`);
    this.announced = announced;
    this.#announce();
    void this.#listen();
  }

  async #listen(): Promise<void> {
    for (const failure of await this.#groups.listen(this.announced, this.#parts.uplinks()))
      this.#warnOnce(`cannot listen to solicitations: ${failure}`);
  }

  #announce(): void {
    const now = Number(process.hrtime.bigint() / 1_000_000n);
    for (const failure of this.#announcer.announce(this.announced, now))
      this.#warnOnce(`cannot announce the load balancer address ${failure}`);
  }

  // Tried again several times a second.
  #warnOnce(line: string): void {
    if (!this.#said.has(line)) this.#parts.log.warn(line);
    this.#said.add(line);
  }

  #report(problems: readonly Problem[]): void {
    const changed = JSON.stringify(problems) !== JSON.stringify(this.problems);
    this.problems = problems;
    if (changed) this.#parts.problemsChanged();
  }
}
