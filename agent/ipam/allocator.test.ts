import { describe, expect, test } from "vitest";
import { addressAt, familyOf, parseCidr } from "../../model/address/address.ts";
import { FakeClaims, nodeWith, pool } from "./allocator.fixture.ts";
import type { Block } from "./block.ts";
import type { Pool } from "./blocks-of-pool.ts";
import { COOLING_MS } from "./free-addresses.ts";

describe("Allocator", () => {
  test("claims one block and fills it before the next", async () => {
    const claims = new FakeClaims();
    const node = nodeWith(claims, "master");
    for (let count = 0; count < 64; count++) await node.take();
    expect([...claims.blocks.values()].length).toBe(1);
    await node.take();
    expect([...claims.blocks.values()].map((block) => block.node)).toEqual(["master", "master"]);
    expect(node.used.size).toBe(65);
  });

  test("two nodes never share a block, even with outdated views of claims", async () => {
    const claims = new FakeClaims();
    const tiny = { ...pool, cidr: "10.244.0.0/25" };
    const [a, b] = [nodeWith(claims, "a", [tiny]), nodeWith(claims, "b", [tiny])];
    claims.lags = true;
    await Promise.all([a.take(), b.take()]);
    expect(new Set([...claims.blocks.values()].map((block) => block.node))).toEqual(new Set(["a", "b"]));
  });

  test("names blocks after their CIDR", async () => {
    const claims = new FakeClaims();
    await nodeWith(claims, "a", [{ ...pool, cidr: "10.244.0.64/26" }]).take();
    expect([...claims.blocks.keys()]).toEqual(["10-244-0-64-26"]);
  });

  test("reuses a freed address only after all others were used", async () => {
    const node = nodeWith(new FakeClaims(), "a", [{ ...pool, cidr: "10.244.0.0/30", blockSize: 30 }]);
    const first = await node.take();
    const second = await node.take();
    node.free(first);
    node.free(second);
    node.cool();
    const order = [await node.take(), await node.take(), await node.take()];
    expect(order.slice(0, 2)).not.toContain(first);
    expect(order[2]).toBe(first);
  });

  test("parallel requests get different addresses", async () => {
    const claims = new FakeClaims();
    const { allocator } = nodeWith(claims, "a");
    const addresses = await Promise.all(Array.from({ length: 70 }, () => allocator.allocate([pool])));
    expect(new Set(addresses.map(({ address }) => address)).size).toBe(70);
    expect(claims.blocks.size).toBe(2);
  });

  const pool6: Pool = { name: "six", cidr: "fd00:10:244::/56", blockSize: 122 };

  test("gives one address of each family that has a pool, IPv4 first, from blocks of each", async () => {
    const claims = new FakeClaims();
    const node = nodeWith(claims, "a", [pool6, pool]);
    const taken = await node.takeAll();
    expect(taken.map(familyOf)).toEqual(["IPv4", "IPv6"]);
    expect([...claims.blocks.values()].map((block) => block.pool)).toEqual(["default", "six"]);
    const [block] = [...claims.blocks.values()].filter((block) => block.pool === "six");
    expect(block?.cidr).toMatch(/^fd00:10:244:.*\/122$/);
    expect(block?.name).toBe(block?.cidr.replaceAll(/[:/]/g, "-"));
    // The first address of an IPv6 network is that of its routers.
    expect(taken[1]).toBe(addressAt(parseCidr(block?.cidr ?? ""), 1n));
    expect((await nodeWith(claims, "b", [pool6]).takeAll()).map(familyOf)).toEqual(["IPv6"]);
  });

  test("fills an IPv6 block, then claims the next; a node whose block is another's takes another one", async () => {
    const claims = new FakeClaims();
    const small = { ...pool6, cidr: "fd00:10:244::/121" };
    const node = nodeWith(claims, "a", [pool, small]);
    const seen = new Set<string>();
    for (let count = 0; count < 64; count++) seen.add((await node.takeAll())[1] ?? "");
    expect(seen.size).toBe(64);
    expect([...claims.blocks.values()].filter((block) => block.pool === "six").length).toBe(2);
    await expect(nodeWith(claims, "b", [pool, small]).takeAll()).rejects.toThrow("six (fd00:10:244::/121) is claimed");
  });

  test("reserves nothing where one family has no address left, and uses no IPv6 on a node without it", async () => {
    const claims = new FakeClaims();
    const full = { ...pool6, cidr: "fd00:10:244::/127", blockSize: 127 };
    const tiny = { ...pool, cidr: "10.244.0.0/31", blockSize: 31 };
    const node = nodeWith(claims, "a", [tiny, full]);
    const first = await node.takeAll();
    expect(first[1]).toBe("fd00:10:244::1");
    for (let again = 0; again < 3; again++) await expect(node.takeAll()).rejects.toThrow("fd00:10:244::/127");
    node.free("fd00:10:244::1");
    await expect(node.takeAll()).rejects.toThrow("fd00:10:244::/127");
    node.cool();
    expect(await node.takeAll()).toEqual(["10.244.0.1", "fd00:10:244::1"]);
    expect((await nodeWith(new FakeClaims(), "c", [pool, pool6], false).takeAll()).map(familyOf)).toEqual(["IPv4"]);
  });

  test("a block is never larger than its pool", async () => {
    const claims = new FakeClaims();
    await nodeWith(claims, "a", [
      { ...pool6, cidr: "fd00:10:244::/124" },
      { ...pool, cidr: "10.0.0.0/28" },
    ]).takeAll();
    expect([...claims.blocks.values()].map(({ cidr }) => cidr)).toEqual(["10.0.0.0/28", "fd00:10:244::/124"]);
  });

  test("asks pools in their order, and their blocks before it claims another", async () => {
    const claims = new FakeClaims();
    const [first, second] = [
      { ...pool, name: "z", cidr: "10.1.0.0/31", blockSize: 31 },
      { ...pool, name: "a", cidr: "10.2.0.0/31", blockSize: 31 },
    ];
    const node = nodeWith(claims, "a", [first, second]);
    for (const expected of ["10.1.0.0", "10.1.0.1", "10.2.0.0", "10.2.0.1"]) expect(await node.take()).toBe(expected);
    node.free("10.2.0.1");
    node.cool();
    expect(await node.take()).toBe("10.2.0.1");
  });

  test("gives addresses of the part of a pool that this node may have, and none of its blocks outside", async () => {
    const claims = new FakeClaims();
    const node = nodeWith(claims, "a");
    const before = await node.take();
    const part = { ...pool, cidr: "10.244.200.0/25" };
    for (let count = 0; count < 128; count++) expect(await node.take([part])).toMatch(/^10\.244\.200\./);
    expect(new Set(node.used).size).toBe(129);
    await expect(node.take([part])).rejects.toThrow("Every block of the IP pools default (10.244.200.0/25) is claimed");
    expect(node.allocator.exhausted()).toEqual(new Set(["default"]));
    expect(before).not.toMatch(/^10\.244\.200\./);
  });

  test("reports when there is no pool, and when no address is left", async () => {
    const claims = new FakeClaims();
    await expect(nodeWith(claims, "a", []).take()).rejects.toThrow(
      "No IPPool gives this pod an address of IPv4 or IPv6",
    );
    const full = nodeWith(claims, "a", [{ ...pool, cidr: "10.0.0.0/31", blockSize: 31 }]);
    await full.take();
    await full.take();
    await expect(full.take()).rejects.toThrow("Every block of the IP pools default (10.0.0.0/31) is claimed");
  });

  test("names a pool that has no block left until it gives an address again", async () => {
    const tiny = { ...pool, cidr: "10.0.0.0/32", blockSize: 32 };
    const node = nodeWith(new FakeClaims(), "a", [tiny]);
    const taken = await node.take();
    expect(node.allocator.exhausted()).toEqual(new Set());
    await expect(node.take()).rejects.toThrow();
    expect(node.allocator.exhausted()).toEqual(new Set(["default"]));
    node.free(taken);
    node.cool();
    await node.take();
    expect(node.allocator.exhausted()).toEqual(new Set());
  });

  test("passes over a block whose addresses its pods have from before", async () => {
    const claims = new FakeClaims();
    const single = { ...pool, cidr: "10.0.0.0/31", blockSize: 32 };
    const node = nodeWith(claims, "a", [single]);
    const first = await node.take();
    claims.blocks.clear();
    node.clock.now += COOLING_MS;
    const second = await node.take();
    expect([first, second].sort()).toEqual(["10.0.0.0", "10.0.0.1"]);
    expect(claims.blocks.size).toBe(2);
  });

  test("a freed address cools down, also where no other is left, unless the clock was set back", async () => {
    const tiny = { ...pool, cidr: "10.0.0.0/32", blockSize: 32 };
    const node = nodeWith(new FakeClaims(), "a", [tiny]);
    node.free(await node.take());
    node.clock.now += COOLING_MS - 1;
    await expect(node.take()).rejects.toThrow("a freed address is given again after 30 s");
    node.clock.now += 1;
    expect(await node.take()).toBe("10.0.0.0");
    node.free("10.0.0.0");
    node.clock.now -= 3_600_000;
    expect(await node.take()).toBe("10.0.0.0");
  });

  test("a block that somebody deleted is used no more, nor one that was claimed and is never listed", async () => {
    const claims = new FakeClaims();
    const two = { ...pool, cidr: "10.0.0.0/30", blockSize: 31 };
    const node = nodeWith(claims, "a", [two]);
    const first = await node.take();
    const [name = ""] = claims.blocks.keys();
    expect(node.allocator.blocks()).toHaveLength(1);
    claims.blocks.delete(name);
    claims.blocks.set(name, { name, cidr: `${first}/31`, node: "b", pool: two.name });
    expect(await node.take()).not.toMatch(first.slice(0, -1) + (Number(first.at(-1)) + 1));
    const lost = nodeWith(claims, "c", [{ ...two, cidr: "10.9.0.0/30" }]);
    claims.lags = true;
    await lost.take();
    expect(lost.allocator.blocks()).toHaveLength(1);
    lost.clock.now += 10_000;
    expect(lost.allocator.blocks()).toHaveLength(0);
  });

  test("gives back an empty block once its addresses have cooled, and gives no address of it while the list still has it", async () => {
    const claims = new FakeClaims();
    const two = { ...pool, cidr: "10.0.0.0/30", blockSize: 31 };
    const node = nodeWith(claims, "a", [two]);
    const taken = await node.take();
    const [block] = claims.list() as [Block];
    expect(await node.allocator.giveBack(block)).toBe(false);
    node.free(taken);
    expect(await node.allocator.giveBack(block)).toBe(false);
    node.cool();
    const seen = claims.list();
    claims.list = () => seen;
    expect(await node.allocator.giveBack(block)).toBe(true);
    expect(claims.blocks.size).toBe(0);
    expect((await node.take()).replace(/\d$/, "")).toBe("10.0.0.");
    expect([...claims.blocks.keys()]).not.toContain(block.name);
  });

  test("gives no reserved address, claims no block that has only such, and gives one to whoever asks for it", async () => {
    const claims = new FakeClaims();
    const four = { ...pool, cidr: "10.0.0.0/30", blockSize: 31 };
    const node = nodeWith(claims, "a", [four]);
    for (const address of ["10.0.0.0", "10.0.0.1", "10.0.0.2"]) node.reserved.add(address);
    expect(await node.take()).toBe("10.0.0.3");
    await expect(node.take()).rejects.toThrow("Every block of the IP pools");
    expect([...claims.blocks.keys()]).toEqual(["10-0-0-2-31"]);
    expect(await node.take([{ ...four, only: "10.0.0.1" }])).toBe("10.0.0.1");
    // A pod that runs keeps what it has; after it nobody gets it.
    node.reserved.add("10.0.0.3");
    node.free("10.0.0.3");
    node.cool();
    await expect(node.take()).rejects.toThrow("Every block of the IP pools");
    node.reserved.clear();
    expect(await node.take()).not.toBe("10.0.0.1");
  });

  test("passes a reserved network in one step: in IPv6 it has more blocks than an agent can try", async () => {
    const node = nodeWith(new FakeClaims(), "a", [pool6]);
    node.reserved.add("fd00:10:244::/80");
    const taken = parseCidr(`${await node.take()}/80`);
    expect(taken.text).toMatch(/^fd00:10:244:/);
    expect(taken.text).not.toBe("fd00:10:244::/80");
    node.reserved.add("fd00:10:244::/57");
    node.reserved.add("fd00:10:244:80::/57");
    const other = nodeWith(new FakeClaims(), "b", [pool6]);
    for (const network of node.reserved) other.reserved.add(network);
    await expect(other.take()).rejects.toThrow("Every block of the IP pools six (fd00:10:244::/56) is claimed");
  });

  test("passes a reserved network inside a block in one step, too", async () => {
    const node = nodeWith(new FakeClaims(), "a", [{ ...pool6, cidr: "fd00:10:244::/64", blockSize: 64 }]);
    expect(await node.take()).toBe("fd00:10:244::1");
    node.reserved.add("fd00:10:244::/80");
    expect(await node.take()).toBe("fd00:10:244:0:1::");
  });

  describe("asked for one address", () => {
    const asking = (only: string) => [{ ...pool, only }];

    test("gives it from the block around it, also one that cools down, and only once", async () => {
      const claims = new FakeClaims();
      const node = nodeWith(claims, "a");
      expect(await node.take(asking("10.244.7.70"))).toBe("10.244.7.70");
      expect([...claims.blocks.values()].map(({ cidr }) => cidr)).toEqual(["10.244.7.64/26"]);
      await expect(node.take(asking("10.244.7.70"))).rejects.toThrow("10.244.7.70 is another pod's, on this node");
      node.free("10.244.7.70");
      expect(await node.take(asking("10.244.7.70"))).toBe("10.244.7.70");
      expect(await node.take(asking("10.244.7.64"))).toBe("10.244.7.64");
      expect(claims.blocks.size).toBe(1);
    });

    test("gives it beside one of the other family, or neither", async () => {
      const claims = new FakeClaims();
      const node = nodeWith(claims, "a");
      const both = [...asking("10.244.7.70"), { ...pool6, only: "fd00:10:244::99" }];
      expect(await node.takeAll(both)).toEqual(["10.244.7.70", "fd00:10:244::99"]);
      node.free("10.244.7.70");
      await expect(node.takeAll(both)).rejects.toThrow("fd00:10:244::99");
      expect(await node.take(asking("10.244.7.70"))).toBe("10.244.7.70");
    });

    test("gives none of another node's block, and none of a block that another node claims just now", async () => {
      const claims = new FakeClaims();
      const other = nodeWith(claims, "b");
      await other.take(asking("10.244.7.70"));
      const node = nodeWith(claims, "a");
      await expect(node.take(asking("10.244.7.71"))).rejects.toThrow(
        "10.244.7.71 is in the block 10.244.7.64/26, which node b has",
      );
      claims.lags = true;
      await expect(node.take(asking("10.244.7.71"))).rejects.toThrow("Another node has just claimed");
      expect(node.allocator.exhausted()).toEqual(new Set());
    });
  });
});
