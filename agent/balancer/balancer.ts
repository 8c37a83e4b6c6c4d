// This node's part of the load balancer: it assigns addresses if that is its task, and announces those that it has.
import type { Api } from "../../kubernetes/transport.ts";
import { type Address, addressBytes, covers, familyOf, hostCidr } from "../../model/address/address.ts";
import type { NodeFacts } from "../../model/node/facts.ts";
import { nodeDirectory } from "../../model/node/nodes.ts";
import { judgePools } from "../../model/pool/claims.ts";
import { loadBalancerPools } from "../../model/pool/uses.ts";
import type { Problem } from "../../model/problem.ts";
import { announcersOf, inTurn } from "../../model/service/balancer/announcers.ts";
import { balance } from "../../model/service/balancer/claimants.ts";
import type { Logger } from "../observe/log.ts";
import type { SnapshotStore } from "../watch/snapshot-store.ts";
import { Announcer, type AnnouncerParts } from "./announcer.ts";
import { Leases } from "./leases.ts";
import { type Decision, nodeLease, Ownership, type SeenLease, SILENCE_MS } from "./ownership.ts";
import { SolicitedGroups } from "./solicited-groups.ts";
import { Statuses } from "./statuses.ts";

/** How often Leases are looked at; a holder renews its own every time. */
const ROUND_MS = 400;
/** The task of assigning addresses, as a key. */
const ASSIGNING = "assigning-addresses";

export interface BalancerParts extends AnnouncerParts {
  readonly node: string;
  readonly api: Api;
  /** Of the agents' Leases. */
  readonly namespace: string;
  readonly store: Pick<SnapshotStore, "list">;
  readonly facts: () => NodeFacts | undefined;
  readonly problemsChanged: () => void;
  readonly log: Pick<Logger, "info" | "warn">;
}

export class Balancer {
  /** What is said of Services whose addresses this node assigns. */
  problems: readonly Problem[] = [];
  /** The addresses that this node announces. */
  announced: ReadonlySet<Address> = new Set();
  readonly #parts: BalancerParts;
  readonly #ownership: Ownership;
  readonly #leases: Leases;
  readonly #statuses: Statuses;
  readonly #announcer: Announcer;
  readonly #groups = new SolicitedGroups();
  #alive: SeenLease | undefined;
  #failure = "";
  readonly #said = new Set<string>();

  constructor(parts: BalancerParts) {
    this.#parts = parts;
    this.#ownership = new Ownership(parts.node);
    this.#leases = new Leases(parts.api, parts.namespace, Math.ceil(SILENCE_MS / 1000));
    this.#statuses = new Statuses(parts.api);
    this.#announcer = new Announcer(parts);
  }

  /** Runs until the process ends. Announcing does not wait for the API server. */
  start(): void {
    setInterval(() => this.#announce(), ROUND_MS);
    void this.#forever();
  }

  async #forever(): Promise<never> {
    for (;;) {
      const started = performance.now();
      const failure = await this.#round().then(
        () => "",
        (error) => (error instanceof Error ? error.message : String(error)),
      );
      if (failure) this.#ownership.blind();
      if (failure && failure !== this.#failure)
        this.#parts.log.warn(`load balancer addresses stay as they are: ${failure}`);
      this.#failure = failure;
      await new Promise((resolve) => setTimeout(resolve, Math.max(50, ROUND_MS - (performance.now() - started))));
    }
  }

  async #round(): Promise<void> {
    const { store } = this.#parts;
    const facts = this.#parts.facts();
    if (!facts) return;
    const pools = judgePools(store.list("ipPools"), facts);
    const own = loadBalancerPools(pools);
    const isOwn = (address: Address) => own.some(({ cidr }) => covers(cidr, hostCidr(address)));
    const nodes = store.list("nodes");
    const addresses = announcersOf(store.list("services"), store.list("endpointSlices"), nodes, isOwn);
    const wanted = new Map([...addresses].map(([address, names]) => [leaseOf(address), names]));
    if (own.length > 0)
      wanted.set(
        ASSIGNING,
        inTurn(
          ASSIGNING,
          nodes.map(({ metadata }) => metadata.name),
        ),
      );
    if (wanted.size === 0 && this.announced.size === 0 && !this.#alive) return;
    const decision = await this.#hold(wanted);
    this.#isNow(new Set([...addresses.keys()].filter((address) => decision.own.has(leaseOf(address)))));
    this.#announce();
    for (const failure of await this.#groups.listen(this.announced, this.#parts.uplinks()))
      this.#warnOnce(`cannot listen to solicitations: ${failure}`);
    if (!decision.own.has(ASSIGNING)) return this.#report([]);
    const { changes, problems } = balance(store.list("services"), pools, nodeDirectory(nodes, facts));
    this.#report(problems);
    await this.#statuses.write(changes);
  }

  /** Renews what this node has, and takes and gives back keys. */
  async #hold(wanted: ReadonlyMap<string, readonly string[]>): Promise<Decision> {
    const seen = await this.#leases.list();
    this.#ownership.see(seen);
    const decision = this.#ownership.decide(wanted, performance.now());
    if (decision.alive) {
      const name = nodeLease(this.#parts.node);
      const version = this.#alive?.version ?? seen.find((lease) => lease.name === name)?.version;
      this.#alive = await this.#leases.write({ name, holder: this.#parts.node, version });
    } else this.#alive = undefined;
    if (decision.writes.length === 0) return decision;
    const own = new Set(decision.own);
    for (const write of decision.writes) {
      const written = await this.#leases.write(write);
      if (written?.holder === this.#parts.node) own.add(write.name);
    }
    return { ...decision, own };
  }

  #isNow(announced: ReadonlySet<Address>): void {
    for (const address of announced)
      if (!this.announced.has(address)) this.#parts.log.info(`announcing the load balancer address ${address}`);
    for (const address of this.announced)
      if (!announced.has(address)) this.#parts.log.info(`no longer announcing the load balancer address ${address}`);
    this.announced = announced;
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

/** "address-192-0-2-1", "address-2001-db8-0-0-0-0-0-1": the name of an object begins and ends with a letter or digit, so none is left out. */
export function leaseOf(address: Address): string {
  const bytes = addressBytes(address);
  const groups = Array.from({ length: 8 }, (_, at) =>
    (((bytes[at * 2] ?? 0) << 8) | (bytes[at * 2 + 1] ?? 0)).toString(16),
  );
  return `address-${familyOf(address) === "IPv6" ? groups.join("-") : address.replaceAll(".", "-")}`;
}
