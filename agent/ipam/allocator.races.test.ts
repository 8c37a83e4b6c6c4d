import fc from "fast-check";
import { expect, test } from "vitest";
import { covers, hostCidr, parseCidr } from "../../model/address/address.ts";
import { ipamBlock } from "../../model/objects/calico.ts";
import { node } from "../../model/objects/core.ts";
import { addressesOf } from "../../model/objects/pod-of.ts";
import { blocksOfGoneNodes } from "../../model/pool/gone-nodes.ts";
import { Allocator } from "./allocator.ts";
import { type Block, type BlockClaims, blockOf } from "./block.ts";
import type { Pool } from "./blocks-of-pool.ts";
import { COOLING_MS, type FreedAddress } from "./free-addresses.ts";
import type { Lending } from "./held-blocks.ts";

// Two nodes never have one address, whatever happens between them and an API server: requests and answers arrive in any order or never, watches lag,
// agents die at any moment and start again with what they had on disk, perhaps with another `ipam`.

/** Few blocks, for three nodes that want all addresses: who gets none borrows. */
const POOLS: readonly Pool[] = [31, 30, 29].map((blockSize) => ({ name: "default", cidr: "10.0.0.0/29", blockSize }));
const NODES = ["a", "b", "c"];
const FAULTS = ["none", "none", "none", "request lost", "answer lost"] as const;
type Fault = (typeof FAULTS)[number];

type Step = { readonly node: number } & (
  | {
      readonly what:
        | "add"
        | "crash"
        | "give back"
        | "lend"
        | "pass time"
        | "goes"
        | "returns"
        | "free others"
        | "set ipam";
    }
  | { readonly what: "ask"; readonly which: number }
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
    this.#change(() =>
      this.#blocks.set(block.name, { ...block, uid: String(this.#uids), version: String(this.#uids++) }),
    );
    return "created";
  }

  /** As the admission policy has it: others' blocks only of nodes that do not exist. */
  free(by: string, { name, uid, version, node }: Block): void {
    if (by !== node && this.nodes.has(node)) throw new Error("forbidden");
    const known = this.#blocks.get(name);
    if (known?.uid === uid && known?.version === version) this.#change(() => this.#blocks.delete(name));
  }

  lend(block: Block): void {
    if (this.#blocks.get(block.name)?.version !== block.version) throw new Error("conflict");
    this.#change(() => this.#blocks.set(block.name, { ...block, version: String(this.#uids++) }));
  }

  lends(address: string): boolean {
    return [...this.#blocks.values()].some(({ lent = [] }) => lent.some((one) => one.address === address));
  }

  #change(change: () => void): void {
    change();
    this.states.push([...this.#blocks.values()]);
  }
}

class Machine {
  readonly name: string;
  readonly #pool: Pool;
  readonly #server: Server;
  readonly #passes: (what: string) => Promise<unknown>;
  readonly #fault: () => Fault;
  /** What is on disk: addresses of pods, and freed ones. */
  used = new Set<string>();
  freed: FreedAddress[] = [];
  leaving: readonly string[] = [];
  lending: readonly Lending[] = [];
  now = 1_000_000;
  /** With `ipam: HostLocal`, the network that this node's pods may have. */
  #podCidr: string | undefined;
  /** Addresses that it gave of that network. */
  ofPodCidr = 0;
  /** And those that are not of it. */
  readonly strays: string[] = [];
  #seen = 0;
  #life = 0;
  #allocator: Allocator;

  constructor(
    name: string,
    pool: Pool,
    server: Server,
    passes: (what: string) => Promise<unknown>,
    fault: () => Fault,
  ) {
    this.name = name;
    this.#pool = pool;
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

  /** The agent starts again with the other `ipam`; its pods run on. */
  setIpam(podCidr: string): void {
    this.#podCidr = this.#podCidr === undefined ? podCidr : undefined;
    this.crash();
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

  /** @param which a pod asks for this address */
  async add(which?: number): Promise<void> {
    if (!this.#server.nodes.has(this.name)) return;
    const [life, allocator] = [this.#life, this.#allocator];
    const asked: { only?: string } = which === undefined ? {} : { only: `10.0.0.${which}` };
    const podCidr = this.#podCidr;
    const cidr = podCidr ?? this.#pool.cidr;
    if (asked.only !== undefined && !isIn(cidr, asked.only)) return; // refused before (model/pool/host-local.ts)
    const taken = await allocator.allocate([{ ...this.#pool, cidr, ...asked }]).catch(() => undefined);
    if (podCidr !== undefined && taken && life === this.#life) {
      this.ofPodCidr += addressesOf(taken).length;
      this.strays.push(...addressesOf(taken).filter((address) => !isIn(podCidr, address)));
    }
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

  async lend(): Promise<void> {
    await this.#allocator.lend().catch(() => undefined);
  }

  async giveBack(): Promise<void> {
    const empty = this.#allocator.blocks().filter((one) => one.uid !== undefined && this.#allocator.isEmpty(one));
    const block = empty.find(({ borrows }) => borrows) ?? empty[0];
    if (block) await this.#allocator.giveBack(block).catch(() => undefined);
  }

  async freeOthers(): Promise<void> {
    const states = this.#server.states[this.#seen] ?? [];
    const objects = states.map(({ name, uid, version, node: owner, pool, cidr, borrows, lent }) =>
      ipamBlock.parse({
        metadata: { name, uid, resourceVersion: version },
        spec: { node: owner, pool, cidr, borrows, lent },
      }),
    );
    const there = [...this.#server.nodes].map((name) => node.parse({ metadata: { name } }));
    const [gone] = blocksOfGoneNodes(objects, there, []);
    const left = gone && blockOf(gone);
    if (left)
      await this.#claims()
        .free(left)
        .catch(() => undefined);
  }

  #start(): Allocator {
    const lives = this.#lives();
    const setLeaving = (names: readonly string[]) => {
      lives();
      this.leaving = names;
    };
    const setLending = (all: readonly Lending[]) => {
      lives();
      this.lending = all;
    };
    const intentions = { leaving: () => this.leaving, setLeaving, lending: () => this.lending, setLending };
    const use = { used: () => this.used, freed: () => this.freed, ...intentions };
    const claims = this.#claims();
    const others = {
      lenders: () => claims.list().filter(({ node: owner, borrows }) => owner !== this.name && !borrows),
      soon: async (condition: () => boolean) => {
        for (let looks = 0; looks < 8 && !condition(); looks++) await this.#passes(`a look of ${this.name}`);
        return condition();
      },
    };
    const loans = this.#podCidr === undefined ? others : undefined;
    const now = () => this.now;
    return new Allocator({ node: this.name, claims, use, families: () => ["IPv4"], loans, now });
  }

  /** Throws when this agent is dead: it does nothing any more, though what it has sent may arrive. */
  #lives(): () => void {
    const life = this.#life;
    return () => {
      if (life !== this.#life) throw new Error("killed");
    };
  }

  #claims(): BlockClaims {
    const [life, lives] = [this.#life, this.#lives()];
    const request = async <T>(what: string, apply: () => T): Promise<T> => {
      lives();
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
      lend: (block) => request("lend", () => this.#server.lend(block)),
      free: (block) => request("delete", () => this.#server.free(this.name, block)),
    };
  }
}

const isIn = (cidr: string, address: string) => covers(parseCidr(cidr), hostCidr(address));

/** `spec.podCIDRs` of each node, where blocks have two addresses. */
const POD_CIDRS = ["10.0.0.0/30", "10.0.0.4/31", "10.0.0.6/31"];

const place = fc.nat(NODES.length - 1);
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ node: place, what: fc.constant("add" as const) }) },
  {
    weight: 4,
    arbitrary: fc.record({ node: place, what: fc.constant("see" as const), changes: fc.integer({ min: 1, max: 9 }) }),
  },
  { weight: 3, arbitrary: fc.record({ node: place, what: fc.constant("delete" as const), which: fc.nat(9) }) },
  { weight: 3, arbitrary: fc.record({ node: place, what: fc.constantFrom("give back" as const, "lend" as const) }) },
  { weight: 1, arbitrary: fc.record({ node: place, what: fc.constant("ask" as const), which: fc.nat(7) }) },
  { weight: 3, arbitrary: fc.record({ node: place, what: fc.constantFrom("crash" as const, "free others" as const) }) },
  { weight: 2, arbitrary: fc.record({ node: place, what: fc.constantFrom("goes" as const, "returns" as const) }) },
  { weight: 2, arbitrary: fc.record({ node: place, what: fc.constant("set ipam" as const) }) },
  { weight: 3, arbitrary: fc.record({ node: place, what: fc.constant("pass time" as const) }) },
);

test("two nodes never have one address", async () => {
  let [given, moved, borrowed, ofPodCidr] = [0, 0, 0, 0];
  const property = fc.asyncProperty(
    fc.scheduler(),
    fc.constantFrom(...POOLS),
    fc.array(fc.array(step, { minLength: 1, maxLength: 6, size: "max" }), { minLength: 1, maxLength: 25, size: "max" }),
    fc.array(fc.constantFrom(...FAULTS), { minLength: 1, maxLength: 20 }),
    async (scheduler, pool, rounds, faults) => {
      const server = new Server();
      let request = 0;
      const fault = () => faults[request++ % faults.length] ?? "none";
      const passes = (what: string) => scheduler.schedule(Promise.resolve(), what);
      const machines = NODES.map((name) => new Machine(name, pool, server, passes, fault));
      const pending: Promise<void>[] = [];
      const owners = new Map<string, string>();
      const judge = () => {
        expect(machines.flatMap(({ strays }) => strays)).toEqual([]);
        const all = machines.flatMap(({ used }) => [...used]);
        expect(all.length).toBe(new Set(all).size);
        for (const { name, used } of machines)
          for (const address of used) {
            if (!owners.has(address)) given++;
            else if (owners.get(address) !== name) moved++;
            if (owners.get(address) !== name && server.lends(address)) borrowed++;
            owners.set(address, name);
          }
      };
      // Steps of a round happen at once; what they ask for may be answered in any later one.
      for (const round of rounds) {
        for (const one of round) {
          const machine = machines[one.node] as Machine;
          if (one.what === "add") pending.push(machine.add().then(judge));
          else if (one.what === "ask") pending.push(machine.add(one.which).then(judge));
          else if (one.what === "lend") pending.push(machine.lend());
          else if (one.what === "give back") pending.push(machine.giveBack());
          else if (one.what === "see") {
            machine.see(one.changes);
            pending.push(machine.lend()); // as agents do when blocks have changed
          } else if (one.what === "delete") machine.remove(one.which);
          else if (one.what === "crash") machine.crash();
          else if (one.what === "set ipam") {
            // A network that is smaller than a block is refused before anything is allocated (model/pool/host-local.ts).
            if (pool.blockSize === 31) machine.setIpam(POD_CIDRS[one.node] ?? "");
          } else if (one.what === "goes") machine.goes();
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
      ofPodCidr += machines.reduce((sum, machine) => sum + machine.ofPodCidr, 0);
    },
  );
  await fc.assert(property, { numRuns: 1_500, seed: 20_261_129 });
  // It would prove nothing if nothing happened.
  expect(given).toBeGreaterThan(1_000);
  expect(moved).toBeGreaterThan(50);
  expect(borrowed).toBeGreaterThan(100);
  expect(ofPodCidr).toBeGreaterThan(100);
});
