import fc from "fast-check";
import { expect, test } from "vitest";
import { addressesOf } from "../../model/objects/pod-of.ts";
import { Allocator, COOLING_MS, type FreedAddress } from "./allocator.ts";
import type { Block, BlockClaims } from "./block.ts";
import type { Pool } from "./blocks-of-pool.ts";

// Two nodes never have one address, whatever happens between them and an API server: requests and answers arrive in any order or never, watches lag,
// agents die at any moment and start again with what they had on disk.

/** Four blocks of two addresses, for three nodes that want them all. */
const pool: Pool = { name: "default", cidr: "10.0.0.0/29", blockSize: 31 };
const NODES = ["a", "b", "c"];
const FAULTS = ["none", "none", "none", "request lost", "answer lost"] as const;
type Fault = (typeof FAULTS)[number];

type Step = { readonly node: number } & (
  | { readonly what: "add" | "crash" | "give back" | "pass time" | "goes" | "returns" | "free others" }
  | { readonly what: "delete"; readonly which: number }
  | { readonly what: "see"; readonly changes: number }
);

class Server {
  readonly #blocks = new Map<string, Block>();
  readonly nodes = new Set(NODES);
  #uids = 0;
  /** Every state so far: a watch shows one of them, later ones only later. */
  readonly states: (readonly Block[])[] = [[]];

  create(block: Block): "created" | "exists" {
    if (this.#blocks.has(block.name)) return "exists";
    this.#change(() => this.#blocks.set(block.name, { ...block, uid: String(this.#uids++) }));
    return "created";
  }

  /** As the admission policy has it: others' blocks only of nodes that do not exist. */
  free(by: string, { name, uid, node }: Block): void {
    if (by !== node && this.nodes.has(node)) throw new Error("forbidden");
    if (this.#blocks.get(name)?.uid === uid) this.#change(() => this.#blocks.delete(name));
  }

  #change(change: () => void): void {
    change();
    this.states.push([...this.#blocks.values()]);
  }
}

class Machine {
  readonly name: string;
  readonly #server: Server;
  readonly #passes: (what: string) => Promise<unknown>;
  readonly #fault: () => Fault;
  /** What is on disk: addresses of pods, and freed ones. */
  used = new Set<string>();
  freed: FreedAddress[] = [];
  leaving: readonly string[] = [];
  now = 1_000_000;
  #seen = 0;
  #life = 0;
  #allocator: Allocator;

  constructor(name: string, server: Server, passes: (what: string) => Promise<unknown>, fault: () => Fault) {
    this.name = name;
    this.#server = server;
    this.#passes = passes;
    this.#fault = fault;
    this.#allocator = this.#start();
  }

  see(changes: number): void {
    this.#seen = Math.min(this.#seen + changes, this.#server.states.length - 1);
  }

  crash(): void {
    this.#life++;
    this.#seen = this.#server.states.length - 1; // a new agent lists first
    this.#allocator = this.#start();
  }

  /** The machine is off, and its pods are no more. */
  goes(): void {
    this.#server.nodes.delete(this.name);
    this.crash();
    this.used = new Set();
  }

  returns(): void {
    this.#server.nodes.add(this.name);
    this.crash();
  }

  async add(): Promise<void> {
    if (!this.#server.nodes.has(this.name)) return;
    const [life, allocator] = [this.#life, this.#allocator];
    const taken = await allocator.allocate([pool]).catch(() => undefined);
    await this.#passes("interface made");
    if (taken && life === this.#life) {
      for (const address of addressesOf(taken)) {
        this.used.add(address);
        this.freed = this.freed.filter((one) => one.address !== address);
      }
    }
    if (taken) allocator.release(taken);
  }

  remove(which: number): void {
    const address = [...this.used][which % Math.max(1, this.used.size)];
    if (address === undefined) return;
    this.used.delete(address);
    this.freed.push({ address, at: this.now });
  }

  async giveBack(): Promise<void> {
    const [block] = this.#allocator.blocks().filter((one) => one.uid !== undefined && this.#allocator.isEmpty(one));
    if (block) await this.#allocator.giveBack(block).catch(() => undefined);
  }

  async freeOthers(): Promise<void> {
    const states = this.#server.states[this.#seen] ?? [];
    const left = states.find((block) => !this.#server.nodes.has(block.node));
    if (left)
      await this.#claims()
        .free(left)
        .catch(() => undefined);
  }

  #start(): Allocator {
    const setLeaving = (names: readonly string[]) => {
      this.leaving = names;
    };
    const use = { used: () => this.used, freed: () => this.freed, leaving: () => this.leaving, setLeaving };
    const claims = this.#claims();
    return new Allocator({ node: this.name, claims, use, families: () => ["IPv4"], now: () => this.now });
  }

  #claims(): BlockClaims {
    const life = this.#life;
    const request = async <T>(what: string, apply: () => T): Promise<T> => {
      const fault = this.#fault();
      await this.#passes(`${what} of ${this.name}`);
      if (fault === "request lost") throw new Error("no answer");
      const answer = apply();
      await this.#passes(`answer to ${this.name}`);
      if (fault === "answer lost" || life !== this.#life) throw new Error("no answer");
      return answer;
    };
    return {
      list: () => this.#server.states[this.#seen] ?? [],
      create: (block) => request("create", () => this.#server.create(block)),
      free: (block) => request("delete", () => this.#server.free(this.name, block)),
    };
  }
}

const node = fc.nat(NODES.length - 1);
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ node, what: fc.constant("add" as const) }) },
  {
    weight: 4,
    arbitrary: fc.record({ node, what: fc.constant("see" as const), changes: fc.integer({ min: 1, max: 9 }) }),
  },
  { weight: 3, arbitrary: fc.record({ node, what: fc.constant("delete" as const), which: fc.nat(9) }) },
  { weight: 3, arbitrary: fc.record({ node, what: fc.constant("give back" as const) }) },
  { weight: 3, arbitrary: fc.record({ node, what: fc.constantFrom("crash" as const, "free others" as const) }) },
  { weight: 1, arbitrary: fc.record({ node, what: fc.constantFrom("goes" as const, "returns" as const) }) },
  { weight: 3, arbitrary: fc.record({ node, what: fc.constant("pass time" as const) }) },
);

test("two nodes never have one address", async () => {
  let [given, moved] = [0, 0];
  const property = fc.asyncProperty(
    fc.scheduler(),
    fc.array(fc.array(step, { minLength: 1, maxLength: 6, size: "max" }), { minLength: 1, maxLength: 25, size: "max" }),
    fc.array(fc.constantFrom(...FAULTS), { minLength: 1, maxLength: 20 }),
    async (scheduler, rounds, faults) => {
      const server = new Server();
      let request = 0;
      const fault = () => faults[request++ % faults.length] ?? "none";
      const passes = (what: string) => scheduler.schedule(Promise.resolve(), what);
      const machines = NODES.map((name) => new Machine(name, server, passes, fault));
      const pending: Promise<void>[] = [];
      const owners = new Map<string, string>();
      const judge = () => {
        const all = machines.flatMap(({ used }) => [...used]);
        expect(all.length).toBe(new Set(all).size);
        for (const { name, used } of machines)
          for (const address of used) {
            if (!owners.has(address)) given++;
            else if (owners.get(address) !== name) moved++;
            owners.set(address, name);
          }
      };
      // Steps of a round happen at once; what they ask for may be answered in any later one.
      for (const round of rounds) {
        for (const one of round) {
          const machine = machines[one.node] as Machine;
          if (one.what === "add") pending.push(machine.add().then(judge));
          else if (one.what === "give back") pending.push(machine.giveBack());
          else if (one.what === "see") machine.see(one.changes);
          else if (one.what === "delete") machine.remove(one.which);
          else if (one.what === "crash") machine.crash();
          else if (one.what === "goes") machine.goes();
          else if (one.what === "returns") machine.returns();
          else if (one.what === "free others") pending.push(machine.freeOthers());
          else for (const each of machines) each.now += COOLING_MS;
        }
        for (let index = 0; index < 2 * round.length; index++) {
          await new Promise(setImmediate); // what has its answer goes on to its next request
          if (scheduler.count() > 0) await scheduler.waitOne();
        }
        judge();
      }
      await scheduler.waitFor(Promise.all(pending));
      judge();
    },
  );
  await fc.assert(property, { numRuns: 1_500, seed: 20_261_129 });
  // It would prove nothing if nothing happened.
  expect(given).toBeGreaterThan(1_000);
  expect(moved).toBeGreaterThan(50);
}, 60_000);
