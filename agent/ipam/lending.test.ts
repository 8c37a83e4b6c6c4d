import { expect, test } from "vitest";
import { parseCidr } from "../../model/address/address.ts";
import { FakeClaims, nodeWith, pool } from "./allocator.fixture.ts";
import { lendWhenAsked } from "./lending.ts";

const full = { ...pool, cidr: "10.0.0.0/30", blockSize: 30 };
const asking = (only: string) => [{ ...full, only }];

/** A node that has the only block of the pool, and one that has none. */
function two() {
  const claims = new FakeClaims();
  const owner = nodeWith(claims, "owner", [full]);
  claims.answering = [owner.allocator];
  return { claims, owner, borrower: nodeWith(claims, "borrower", [full]) };
}
const isEmpty = (claims: FakeClaims) => claims.list().filter(({ borrows }) => borrows).length === 0;

test("a node without a block in a full pool borrows addresses, which their owner gives to nobody until they come back", async () => {
  const { owner, borrower } = two();
  const own = await owner.take();
  const borrowed = [await borrower.take(), await borrower.take(), await borrower.take()];
  expect(new Set([own, ...borrowed]).size).toBe(4);
  await expect(owner.take()).rejects.toThrow("no other node lends an address of one");
  await expect(borrower.take()).rejects.toThrow("no other node lends an address of one");
  expect(owner.allocator.exhausted()).toEqual(new Set(["default"]));
  const [first = ""] = borrowed;
  borrower.free(first);
  borrower.cool();
  const [unused] = borrower.allocator.blocks().filter((block) => block.cidr === `${first}/32`);
  expect(unused && (await borrower.allocator.giveBack(unused))).toBe(true);
  await expect(owner.take()).rejects.toThrow("no other node lends");
  await owner.allocator.lend();
  expect(await owner.take()).toBe(first);
});

test("an address is lent that nobody had, before one that has cooled down, and none that cools", async () => {
  const { owner, borrower } = two();
  for (let count = 0; count < 4; count++) await owner.take();
  owner.free("10.0.0.2");
  await expect(borrower.take()).rejects.toThrow("no other node lends");
  owner.cool();
  expect(await borrower.take()).toBe("10.0.0.2");
});

test("a pod that asks for an address of another node's block gets it, also while it cools down, not while a pod has it", async () => {
  const { claims, owner, borrower } = two();
  expect(await owner.take(asking("10.0.0.2"))).toBe("10.0.0.2");
  await expect(borrower.take(asking("10.0.0.2"))).rejects.toThrow(
    "10.0.0.2 is in the block 10-0-0-0-30 of another node",
  );
  owner.free("10.0.0.2");
  expect(await borrower.take(asking("10.0.0.2"))).toBe("10.0.0.2");
  await expect(owner.take(asking("10.0.0.2"))).rejects.toThrow("on this node or on one that borrows it");
  // The one that is asked for is no other pod's, though nobody uses it.
  borrower.free("10.0.0.2");
  borrower.cool();
  expect(await borrower.take()).not.toBe("10.0.0.2");
  expect(isEmpty(claims)).toBe(false);
});

test("a node that does not answer keeps nobody's request, but for one address's", async () => {
  const { claims, owner, borrower } = two();
  await owner.take(asking("10.0.0.2"));
  claims.answering = [borrower.allocator];
  await expect(borrower.take()).rejects.toThrow("no other node lends");
  expect(isEmpty(claims)).toBe(true);
  for (let again = 0; again < 2; again++) await expect(borrower.take(asking("10.0.0.1"))).rejects.toThrow("10.0.0.1");
  expect(claims.list().filter(({ borrows }) => borrows).length).toBe(1);
  expect(borrower.allocator.blocks().map((block) => borrower.allocator.isEmpty(block))).toEqual([true]);
});

test("what a block says of others' addresses, or a block that is not in force, or a request, lends nothing", async () => {
  for (const liar of [
    { name: "small", cidr: "10.0.0.8/30" },
    { name: "refused", cidr: "10.0.0.0/30" },
    { name: "request", cidr: "10.0.0.0/30", borrows: "Any" as const },
  ]) {
    const { claims, owner, borrower } = two();
    await owner.take();
    claims.answering = [borrower.allocator];
    await expect(borrower.take(asking("10.0.0.2"))).rejects.toThrow("has not lent it");
    const [request] = claims.list().filter(({ borrows }) => borrows);
    const lent = [{ address: "10.0.0.2", node: "borrower", request: request?.uid ?? "" }];
    await claims.create({ ...liar, node: "liar", pool: full.name, lent });
    borrower.refused.add("refused");
    await expect(borrower.take(asking("10.0.0.2"))).rejects.toThrow("has not lent it");
  }
});

test("an owner keeps a block of which it lends an address, and of a promise nothing is forgotten", async () => {
  const { claims, owner, borrower } = two();
  owner.free(await owner.take());
  owner.cool();
  const lost = claims.lend;
  claims.lend = () => Promise.reject(new Error("no answer"));
  await expect(borrower.take(asking("10.0.0.2"))).rejects.toThrow("no answer");
  await expect(owner.take(asking("10.0.0.2"))).rejects.toThrow("on this node or on one that borrows it");
  const [block] = claims.list();
  expect(block && (await owner.allocator.giveBack(block))).toBe(false);
  claims.lend = lost;
  expect(await borrower.take(asking("10.0.0.2"))).toBe("10.0.0.2");
  expect(owner.allocator.isAsked()).toBe(false);
});

test("lendWhenAsked() answers when blocks change and only then, and goes on after a failure", async () => {
  const looks: (() => void)[] = [];
  const state = { list: [] as never[], isAsked: true, fails: true };
  const lends: number[] = [];
  const said: string[] = [];
  const until = (condition: () => boolean) =>
    new Promise<void>((resolve) => {
      const look = () => condition() && resolve();
      looks.push(look);
      look();
    });
  const look = async () => {
    for (const one of looks) one();
    await new Promise(setImmediate);
  };
  const allocator = {
    isAsked: () => state.isAsked,
    lend: async () => {
      lends.push(lends.length);
      if (state.fails) throw new Error("no answer");
    },
  };
  void lendWhenAsked({ claims: { list: () => state.list }, allocator, until, failed: (text) => void said.push(text) });
  await look();
  await look();
  expect([lends.length, said]).toEqual([1, ["no answer"]]);
  [state.list, state.fails] = [[], false];
  await look();
  [state.list, state.isAsked] = [[], false];
  await look();
  expect([lends.length, said.length]).toEqual([2, 1]);
});

test("the first address of an IPv6 block is lent to nobody that takes any", async () => {
  const six = { name: "six", cidr: "fd00::/126", blockSize: 126 };
  const claims = new FakeClaims();
  const owner = nodeWith(claims, "owner", [six]);
  claims.answering = [owner.allocator];
  const borrower = nodeWith(claims, "borrower", [six]);
  await owner.take();
  expect([await borrower.take(), await borrower.take()].sort()).toEqual(["fd00::2", "fd00::3"]);
  await expect(borrower.take()).rejects.toThrow(parseCidr(six.cidr).text);
});

test("a full disk keeps a node from giving back and lending, not from looking whether it is asked", async () => {
  const { claims, owner, borrower } = two();
  owner.free(await owner.take());
  owner.cool();
  const [block] = owner.allocator.blocks();
  expect(block && (await owner.allocator.giveBack(block))).toBe(true);
  owner.disk.isFull = true;
  expect(owner.allocator.isAsked()).toBe(false);
  expect(owner.allocator.blocks()).toEqual([]);
  owner.disk.isFull = false;
  await owner.take();
  owner.disk.isFull = true;
  await expect(borrower.take()).rejects.toThrow("no space left on device");
  expect(claims.list().flatMap(({ lent = [] }) => lent)).toEqual([]);
});
