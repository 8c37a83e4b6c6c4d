import { isAway, isRefusal } from "../../kubernetes/errors.ts";
import type { Leases, OwningNode } from "./leases.ts";
import { type LeaseWrite, nodeLease, type Ownership, RENEW_MS } from "./ownership.ts";

/** A write that the API server refused is not repeated at once. */
const REFUSED_MS = 1_000;
/** The end of one node may leave hundreds of addresses to another one. */
const WRITES_AT_ONCE = 16;

export interface HolderParts {
  readonly node: string;
  /** The Node object, once it is known. */
  readonly owner: () => OwningNode | undefined;
  readonly ownership: Ownership;
  readonly leases: Pick<Leases, "get" | "write">;
  /** Called if the API server did not answer, or if its answer contradicts the watch: what the watch reported may be out of date. */
  readonly lost: () => void;
  /** Called when the keys of this node may have changed. */
  readonly changed: () => void;
  readonly log: { warn(line: string): void };
}

/** Takes, keeps and gives back keys at the API server. */
export class Holder {
  readonly #parts: HolderParts;
  #isBusy = false;
  #pausedUntil = 0;
  #mustRenew = false;
  #renewedAt = Number.NEGATIVE_INFINITY;
  #isEnding = false;
  #failure = "";

  constructor(parts: HolderParts) {
    this.#parts = parts;
  }

  /** Begins to write what has to change. @returns the keys that this node has now @param wanted the nodes that may have each key */
  step(wanted: ReadonlyMap<string, readonly string[]>): ReadonlySet<string> {
    const now = performance.now();
    const { own, writes, alive } = this.#parts.ownership.decide(wanted, now);
    this.#mustRenew = alive && !this.#isEnding;
    if (writes.length > 0 && !this.#isBusy && !this.#isEnding && now >= this.#pausedUntil) void this.#write(writes);
    return own;
  }

  /** Renews the node's Lease until the process ends, while it has a key. */
  async renew(): Promise<never> {
    for (;;) {
      const started = performance.now();
      const wait = RENEW_MS * (0.8 + 0.2 * Math.random());
      if (this.#mustRenew) await this.#guarded(() => this.#proveLife());
      await new Promise((resolve) => setTimeout(resolve, Math.max(50, wait - (performance.now() - started))));
    }
  }

  /** Gives all keys back, for an agent that ends. */
  async giveBack(): Promise<void> {
    this.#isEnding = true;
    this.#mustRenew = false;
    const writes = this.#parts.ownership.held().map(({ name, version }) => ({ name, holder: "", version }));
    await this.#guarded(() => this.#all(writes));
  }

  async #write(writes: readonly LeaseWrite[]): Promise<void> {
    this.#isBusy = true;
    await this.#guarded(async () => {
      const takes = writes.some(({ holder }) => holder === this.#parts.node);
      const isProven = performance.now() - this.#renewedAt < RENEW_MS;
      const silent = new Set(writes.flatMap((write) => write.silent ?? []));
      const [confirmed] = await Promise.all([
        Promise.all([...silent].map(async (node) => [node, await this.#isSilent(node)] as const)),
        takes && !isProven ? this.#proveLife() : undefined,
      ]);
      const living = new Set(confirmed.flatMap(([node, isSilent]) => (isSilent ? [] : [node])));
      await this.#all(writes.filter((write) => write.silent === undefined || !living.has(write.silent)));
      if (living.size > 0) this.#parts.lost();
    });
    this.#isBusy = false;
    this.#parts.changed();
  }

  /** Whether the store also has no newer Lease of this node: the watch may have stopped without an error. */
  async #isSilent(node: string): Promise<boolean> {
    const { ownership, leases } = this.#parts;
    const name = nodeLease(node);
    const before = ownership.lease(name)?.renewed;
    const lease = await leases.get(name);
    if (lease) ownership.seeOne(lease, performance.now());
    return lease?.renewed === before;
  }

  async #all(writes: readonly LeaseWrite[]): Promise<void> {
    const rest = [...writes];
    const work = async () => {
      for (let write = rest.shift(); write; write = rest.shift()) await this.#one(write);
    };
    await Promise.all(Array.from({ length: WRITES_AT_ONCE }, work));
  }

  async #one(write: LeaseWrite): Promise<void> {
    const { leases, ownership, changed } = this.#parts;
    const written = await leases.write(write);
    if (written) ownership.seeOne(written, performance.now());
    else if (write.holder === undefined) ownership.gone(write.name, write.version);
    else await this.#lookAgain(write.name);
    if (written) changed();
  }

  /** Another node was faster. */
  async #lookAgain(name: string): Promise<void> {
    const lease = await this.#parts.leases.get(name);
    if (lease) this.#parts.ownership.seeOne(lease, performance.now());
    else this.#parts.ownership.gone(name);
  }

  async #proveLife(): Promise<void> {
    const { node, owner, leases, ownership } = this.#parts;
    const name = nodeLease(node);
    const started = performance.now();
    const written = await leases.write({ name, holder: node, version: ownership.lease(name)?.version }, owner());
    if (!written) return this.#lookAgain(name);
    ownership.seeOne(written, performance.now());
    this.#renewedAt = started;
  }

  async #guarded(work: () => Promise<void>): Promise<void> {
    try {
      await work();
      this.#failure = "";
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      if (message !== this.#failure) this.#parts.log.warn(`load balancer addresses stay as they are: ${message}`);
      this.#failure = message;
      this.#pausedUntil = performance.now() + REFUSED_MS;
      if (isAway(error) || !isRefusal(error, 400, 401, 403, 422)) this.#parts.lost();
    }
  }
}
