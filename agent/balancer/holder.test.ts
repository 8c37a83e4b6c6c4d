// Several nodes at one store of Leases, by a simulated clock.
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { ApiUnreachable } from "../../kubernetes/errors.ts";
import { Holder } from "./holder.ts";
import { type LeaseWrite, Ownership, type SeenLease } from "./ownership.ts";

const KEYS = Array.from({ length: 20 }, (_, index) => `address-192-0-2-${index}`);
const ANSWER_MS = 20;
const TICK_MS = 100;

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

const later = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

/** What the API server keeps, with its watches. */
class Store {
  readonly leases = new Map<string, SeenLease>();
  readonly requests: string[] = [];
  isAway = false;
  #version = 0;
  readonly #watches = new Map<Node, Ownership>();

  watch(node: Node, ownership: Ownership): void {
    this.#watches.set(node, ownership);
    ownership.see([...this.leases.values()], performance.now());
  }

  async get(node: Node, name: string): Promise<SeenLease | undefined> {
    await this.#answer(node, `GET ${name}`);
    return this.leases.get(name);
  }

  async write(node: Node, { name, holder, version }: LeaseWrite): Promise<SeenLease | undefined> {
    await this.#answer(node, `PUT ${name}`);
    if (this.leases.get(name)?.version !== version) return undefined;
    const lease = { name, holder: holder ?? "", renewed: String(performance.now()), version: String(++this.#version) };
    if (holder === undefined) this.leases.delete(name);
    else this.leases.set(name, lease);
    for (const [other, ownership] of this.#watches) {
      if (this.isAway || other.isCutOff || other.watchHangs) continue;
      if (holder === undefined) ownership.gone(name, lease.version);
      else ownership.seeOne(lease, performance.now());
    }
    return holder === undefined ? undefined : lease;
  }

  async #answer(node: Node, what: string): Promise<void> {
    this.requests.push(`${node.name}: ${what}`);
    await later(ANSWER_MS);
    if (!this.isAway && !node.isCutOff) return;
    await later(1_000);
    throw new ApiUnreachable({ server: "here", method: "GET", path: what }, "no answer within 1 s");
  }
}

class Node {
  readonly name: string;
  isCutOff = false;
  watchHangs = false;
  isDead = false;
  own: ReadonlySet<string> = new Set();
  readonly holder: Holder;
  readonly warnings: string[] = [];
  readonly #store: Store;
  #ownership: Ownership;

  constructor(name: string, store: Store, wanted: ReadonlyMap<string, readonly string[]>) {
    this.name = name;
    this.#store = store;
    this.#ownership = new Ownership(name);
    const tick = () => {
      if (!this.isDead) this.own = this.holder.step(wanted);
    };
    this.holder = new Holder({
      node: name,
      owner: () => undefined,
      ownership: this.#ownership,
      leases: {
        get: (lease) => this.#alive(() => store.get(this, lease)),
        write: (write) => this.#alive(() => store.write(this, write)),
      },
      lost: () => {
        this.#ownership.blind();
        this.watchHangs = false;
        void this.#listAgain();
      },
      changed: tick,
      log: { warn: (line) => this.warnings.push(line) },
    });
    store.watch(this, this.#ownership);
    setInterval(tick, TICK_MS);
    void this.holder.renew();
  }

  // A killed process does nothing more.
  #alive<T>(work: () => Promise<T>): Promise<T> {
    return this.isDead ? new Promise(() => undefined) : work();
  }

  async #listAgain(): Promise<void> {
    await later(500);
    if (this.#store.isAway || this.isCutOff) return this.#listAgain();
    this.#store.watch(this, this.#ownership);
  }
}

const names = ["a", "b", "c"];
async function cluster() {
  const store = new Store();
  const wanted = new Map(KEYS.map((key, index) => [key, names.map((_, at) => names[(at + index) % 3] as string)]));
  const nodes = names.map((name) => new Node(name, store, wanted)) as [Node, Node, Node];
  await vi.advanceTimersByTimeAsync(5_000);
  return { store, nodes, wanted };
}
const holders = (nodes: readonly Node[]) =>
  KEYS.map((key) => nodes.filter(({ own }) => own.has(key)).map((n) => n.name));
const everyKeyHasOne = (nodes: readonly Node[]) => holders(nodes).every(({ length }) => length === 1);

test("each key has one holder, its first candidate", async () => {
  const { nodes } = await cluster();
  expect(holders(nodes)).toEqual(KEYS.map((_, index) => [names[index % 3]]));
});

test("whenever a node dies, others have its keys within 2.6 s", async () => {
  for (let round = 0; round < 40; round++) {
    const { nodes } = await cluster();
    const [dead, ...others] = nodes;
    await vi.advanceTimersByTimeAsync(round * 26);
    dead.isDead = true;
    dead.own = new Set();
    const died = performance.now();
    while (!everyKeyHasOne(others) && performance.now() - died < 10_000) await vi.advanceTimersByTimeAsync(10);
    expect(performance.now() - died).toBeLessThan(2_600);
    vi.clearAllTimers();
  }
});

test("a node costs about one request a second, however many keys it has", async () => {
  const { store } = await cluster();
  store.requests.length = 0;
  await vi.advanceTimersByTimeAsync(60_000);
  expect(new Set(store.requests)).toEqual(new Set(names.map((name) => `${name}: PUT node-${name}`)));
  expect(store.requests.length / 3 / 60).toBeLessThan(1.15);
});

test("one lost renewal costs a holder nothing", async () => {
  const { store, nodes } = await cluster();
  const [slow] = nodes;
  slow.isCutOff = true;
  await vi.advanceTimersByTimeAsync(900);
  slow.isCutOff = false;
  await vi.advanceTimersByTimeAsync(10_000);
  expect(holders(nodes)).toEqual(KEYS.map((_, index) => [names[index % 3]]));
  expect(store.requests.filter((one) => /PUT address/.test(one))).toHaveLength(KEYS.length);
});

test("an owner that was cut off finds others with its keys when it is back, and does not fight for them", async () => {
  const { store, nodes } = await cluster();
  const [lost, ...others] = nodes;
  lost.isCutOff = true;
  await vi.advanceTimersByTimeAsync(20_000);
  expect(everyKeyHasOne(others)).toBe(true);
  lost.isCutOff = false;
  await vi.advanceTimersByTimeAsync(2_500);
  expect(lost.own).toEqual(new Set());
  const written = store.requests.length;
  await vi.advanceTimersByTimeAsync(30_000);
  expect(store.requests.slice(written).filter((one) => /PUT address/.test(one))).toEqual([]);
  expect(everyKeyHasOne(nodes)).toBe(true);
});

test("an outage of the API server moves nothing, however long it lasts", async () => {
  for (const lasting of [1_000, 2_000, 3_000, 60_000]) {
    const { store, nodes } = await cluster();
    store.isAway = true;
    await vi.advanceTimersByTimeAsync(lasting);
    expect(holders(nodes)).toEqual(KEYS.map((_, index) => [names[index % 3]]));
    store.isAway = false;
    await vi.advanceTimersByTimeAsync(20_000);
    expect(holders(nodes)).toEqual(KEYS.map((_, index) => [names[index % 3]]));
    vi.clearAllTimers();
  }
});

test("a watch that stopped without an error takes nothing from a holder that renews", async () => {
  const { nodes } = await cluster();
  nodes[1].watchHangs = true;
  await vi.advanceTimersByTimeAsync(30_000);
  expect(holders(nodes)).toEqual(KEYS.map((_, index) => [names[index % 3]]));
});

test("an agent that ends hands its keys over at once", async () => {
  const { nodes } = await cluster();
  const [ending, ...others] = nodes;
  const given = ending.holder.giveBack();
  await vi.advanceTimersByTimeAsync(700);
  await given;
  expect(everyKeyHasOne(others)).toBe(true);
  expect(ending.own).toEqual(new Set());
});
