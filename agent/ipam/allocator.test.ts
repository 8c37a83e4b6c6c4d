import { describe, expect, test } from "vitest";
import { Allocator, type Pool } from "./allocator.ts";
import type { Block, BlockClaims } from "./block.ts";

const pool: Pool = { name: "default", cidr: "10.244.0.0/16", blockSize: 26, disabled: false };

/** A fake API server: the first to create a name wins. */
class FakeClaims implements BlockClaims {
  readonly blocks = new Map<string, Block>();
  /** A watch that lags shows nothing. */
  lags = false;
  list = () => (this.lags ? [] : [...this.blocks.values()]);
  create = async (block: Block): Promise<"created" | "exists"> => {
    if (this.blocks.has(block.name)) return "exists";
    this.blocks.set(block.name, block);
    return "created";
  };
}

function nodeWith(claims: FakeClaims, node: string, pools: Pool[] = [pool]) {
  const used = new Set<string>();
  const freed: string[] = [];
  const allocator = new Allocator({ node, pools: () => pools, claims, use: { used: () => used, freed: () => freed } });
  return {
    used,
    async take() {
      const address = await allocator.allocate();
      used.add(address);
      allocator.release(address);
      const again = freed.indexOf(address);
      if (again >= 0) freed.splice(again, 1);
      return address;
    },
    free(address: string) {
      used.delete(address);
      freed.push(address);
    },
    allocator,
  };
}

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
    const order = [await node.take(), await node.take(), await node.take()];
    expect(order.slice(0, 2)).not.toContain(first);
    expect(order[2]).toBe(first);
  });

  test("parallel requests get different addresses", async () => {
    const claims = new FakeClaims();
    const { allocator } = nodeWith(claims, "a");
    const addresses = await Promise.all(Array.from({ length: 70 }, () => allocator.allocate()));
    expect(new Set(addresses).size).toBe(70);
    expect(claims.blocks.size).toBe(2);
  });

  test("ignores disabled pools and reports when no address is left", async () => {
    const claims = new FakeClaims();
    await expect(nodeWith(claims, "a", [{ ...pool, disabled: true }]).take()).rejects.toThrow("No enabled IPv4 IPPool");
    const full = nodeWith(claims, "a", [{ ...pool, cidr: "10.0.0.0/31", blockSize: 31 }]);
    await full.take();
    await full.take();
    await expect(full.take()).rejects.toThrow("Every block of the IP pools default (10.0.0.0/31) is claimed.");
  });
});
