import { expect, test } from "vitest";
import { ipamBlock, ipPool } from "../../model/objects/calico.ts";
import { node, pod } from "../../model/objects/core.ts";
import { Allocator } from "./allocator.ts";
import type { Block } from "./block.ts";
import { COOLING_MS, type FreedAddress } from "./free-addresses.ts";
import { EMPTY_MS, GONE_MS, LEAKED_MS, UNUSED_LOAN_MS, Upkeep } from "./upkeep.ts";

const POOL = { name: "default", cidr: "10.0.0.0/24", blockSize: 30 };

/** A node's agent with the objects of a cluster, and hours in moments. */
function agent({ nodes = ["here", "there"], nodeSelector = "all()", gives = (_: string): boolean => true } = {}) {
  const clock = { now: 1_000_000 };
  const stored = new Map<string, Block>();
  const objects = {
    nodes: nodes.map((name) => node.parse({ metadata: { name } })),
    pods: [] as ReturnType<typeof pod.parse>[],
    ipPools: [ipPool.parse({ metadata: { name: POOL.name }, spec: { cidr: POOL.cidr, blockSize: 30, nodeSelector } })],
  };
  const state = { failing: [] as "pods"[], leaving: [] as readonly string[], broken: false };
  const endpoints: { namespace: string; pod: string; uid: string; address: string }[] = [];
  const freed: FreedAddress[] = [];
  const said: string[] = [];
  const claims = {
    list: () => [...stored.values()],
    create: async (block: Block) => {
      stored.set(block.name, { ...block, uid: `uid-${block.name}` });
      return "created" as const;
    },
    lend: async (block: Block) => void stored.set(block.name, block),
    free: async ({ name }: Block) => {
      if (state.broken) throw new Error("no answer");
      stored.delete(name);
    },
  };
  const use = {
    used: () => new Set(endpoints.map(({ address }) => address)),
    freed: () => freed,
    leaving: () => state.leaving,
    setLeaving: (names: readonly string[]) => {
      state.leaving = names;
    },
    lending: () => [],
    setLending: () => undefined,
  };
  const allocator = new Allocator({ node: "here", claims, use, families: () => ["IPv4"], now: () => clock.now });
  const forget = async (one: (typeof endpoints)[number]) => {
    endpoints.splice(endpoints.indexOf(one), 1);
    freed.push({ address: one.address, at: clock.now });
  };
  const blocks = () =>
    [...stored.values()].map(({ name, uid, version: _, ...spec }) =>
      ipamBlock.parse({ metadata: { name, uid }, spec }),
    );
  const upkeep = new Upkeep({
    gives: ({ cidr }) => gives(cidr),
    ...{ node: "here", claims, allocator, forget, endpoints: () => endpoints, now: () => clock.now },
    store: {
      list: ((kind: string) => (kind === "ipamBlocks" ? blocks() : objects[kind as keyof typeof objects])) as never,
      failing: () => state.failing,
    },
    log: {
      info: (text: unknown) => void said.push(String(text)),
      warn: (text: unknown) => void said.push(String(text)),
    },
  });
  return {
    ...{ objects, state, stored, endpoints, said, upkeep, allocator, forget },
    claim: (cidr: string, on: string) =>
      claims.create({ name: cidr.replace(/[./]/g, "-"), cidr, node: on, pool: POOL.name }),
    async addPod(name: string) {
      const taken = await allocator.allocate([POOL]);
      endpoints.push({ namespace: "default", pod: name, uid: name, address: taken.address });
      objects.pods = [...objects.pods, pod.parse({ metadata: { name, uid: name }, spec: { nodeName: "here" } })];
      allocator.release(taken);
    },
    /** Half a minute after half a minute. */
    async passes(ms: number) {
      for (let passed = 0; passed <= ms; passed += 30_000) {
        await upkeep.once();
        clock.now += 30_000;
      }
    },
    cidrs: () => [...stored.values()].map(({ cidr }) => cidr),
  };
}

test("blocks of a node that does not exist come back after minutes, not those of nodes that do, nor while its watch fails", async () => {
  const one = agent({ nodes: ["here"] });
  await one.addPod("web");
  const [own = ""] = one.cidrs();
  await one.claim("10.0.0.128/30", "gone");
  one.state.failing = ["pods"];
  await one.passes(2 * GONE_MS);
  expect(one.cidrs()).toEqual([own, "10.0.0.128/30"]);
  one.state.failing = [];
  await one.passes(GONE_MS - 60_000);
  expect(one.cidrs()).toEqual([own, "10.0.0.128/30"]);
  await one.passes(60_000);
  expect(one.cidrs()).toEqual([own]);
  expect(one.said).toEqual(["freed the block 10.0.0.128/30 of gone, which is no node any more"]);
});

test("a node that comes back in time keeps its blocks, and a lost answer is tried again", async () => {
  const one = agent({ nodes: ["here"] });
  await one.claim("10.0.0.128/30", "gone");
  await one.passes(GONE_MS - 60_000);
  const { nodes } = one.objects;
  one.objects.nodes = [
    ...nodes,
    node.parse({ metadata: { name: "gone" }, status: { conditions: [{ type: "Ready", status: "False" }] } }),
  ];
  await one.passes(2 * GONE_MS);
  expect(one.cidrs()).toEqual(["10.0.0.128/30"]);
  one.objects.nodes = nodes;
  one.state.broken = true;
  await expect(one.passes(2 * GONE_MS)).rejects.toThrow("no answer");
  one.state.broken = false;
  await one.passes(0);
  expect(one.cidrs()).toEqual([]);
});

test("an empty block is given back, but the last one only where the pool does not serve the node", async () => {
  const one = agent();
  for (let count = 0; count < 5; count++) await one.addPod(`web-${count}`);
  const [first = "", second = ""] = one.cidrs();
  for (const endpoint of one.endpoints.slice(0, 4)) await one.forget(endpoint);
  await one.passes(EMPTY_MS - 30_000);
  expect(one.cidrs()).toEqual([first, second]);
  await one.passes(COOLING_MS + 60_000);
  expect(one.cidrs()).toEqual([second]);
  await one.forget(one.endpoints[0] as never);
  await one.passes(2 * EMPTY_MS);
  expect(one.cidrs()).toEqual([second]);
  one.objects.ipPools = [ipPool.parse({ metadata: { name: POOL.name }, spec: { cidr: POOL.cidr, disabled: true } })];
  await one.passes(60_000);
  expect(one.cidrs()).toEqual([]);
});

test("with ipam HostLocal an empty block outside the node's networks goes, and the last one in them stays", async () => {
  let isHostLocal = false;
  const one = agent({ gives: (cidr) => !isHostLocal || cidr === "10.0.0.0/30" });
  await one.claim("10.0.0.0/30", "here");
  await one.claim("10.0.0.8/30", "here");
  await one.addPod("web");
  isHostLocal = true;
  // It has run since before.
  one.endpoints[0] = { ...(one.endpoints[0] as (typeof one.endpoints)[0]), address: "10.0.0.9" };
  await one.passes(2 * EMPTY_MS);
  expect(one.cidrs()).toEqual(["10.0.0.0/30", "10.0.0.8/30"]);
  await one.forget(one.endpoints[0] as never);
  await one.passes(COOLING_MS + EMPTY_MS + 60_000);
  expect(one.cidrs()).toEqual(["10.0.0.0/30"]);
});

test("the addresses of a pod that does not exist come back, those of one that is only late do not", async () => {
  const one = agent();
  await one.addPod("web");
  await one.addPod("late");
  const { pods } = one.objects;
  one.objects.pods = [];
  await one.passes(LEAKED_MS - 60_000);
  expect(one.endpoints).toHaveLength(2);
  one.objects.pods = pods.filter(({ metadata }) => metadata.name === "late");
  await one.passes(60_000);
  expect(one.endpoints.map(({ pod: name }) => name)).toEqual(["late"]);
  expect(one.said).toEqual(["default/web does not exist any more: its addresses and its interface are removed"]);
});

test("a borrowed address goes back when nobody has used it for a while, and so does a request that nobody answers", async () => {
  const one = agent();
  const owner = { name: "10-0-0-0-30", cidr: "10.0.0.0/30", node: "there", pool: POOL.name, uid: "there" };
  const request = { cidr: "10.0.0.0/30", node: "here", pool: POOL.name, borrows: "Any" as const };
  for (const name of ["answered", "silent"]) one.stored.set(name, { ...request, name, uid: name });
  one.stored.set(owner.name, { ...owner, lent: [{ address: "10.0.0.2", node: "here", request: "answered" }] });
  const all = pod.parse({ metadata: { name: "web", uid: "web" }, spec: { nodeName: "here" } });
  one.objects.pods = [all];
  one.endpoints.push({ namespace: "default", pod: "web", uid: "web", address: "10.0.0.2" });
  await one.passes(UNUSED_LOAN_MS);
  expect([...one.stored.keys()]).toEqual(["answered", owner.name]);
  await one.forget(one.endpoints[0] as never);
  await one.passes(COOLING_MS);
  expect([...one.stored.keys()]).toEqual(["answered", owner.name]);
  await one.passes(UNUSED_LOAN_MS);
  expect([...one.stored.keys()]).toEqual([owner.name]);
});

test("another pod of the same name does not keep the addresses of its predecessor", async () => {
  const one = agent();
  await one.addPod("db-0");
  one.objects.pods = [pod.parse({ metadata: { name: "db-0", uid: "successor" }, spec: {} })];
  await one.passes(LEAKED_MS);
  expect(one.endpoints).toEqual([]);
});
