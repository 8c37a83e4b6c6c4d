import { ipReservation } from "../../model/objects/calico.ts";
import { addressesOf } from "../../model/objects/pod-of.ts";
import { reservedAddresses } from "../../model/pool/reserved.ts";
import { Allocator, type Loans } from "./allocator.ts";
import type { Block, BlockClaims } from "./block.ts";
import type { Pool } from "./blocks-of-pool.ts";
import { COOLING_MS, type FreedAddress } from "./free-addresses.ts";
import type { Lending } from "./held-blocks.ts";

export const pool: Pool = { name: "default", cidr: "10.244.0.0/16", blockSize: 26 };

/** A fake API server: the first to create a name wins. */
export class FakeClaims implements BlockClaims {
  readonly blocks = new Map<string, Block>();
  /** Allocators of nodes that answer the others' requests; without one nobody asks. */
  answering: Allocator[] = [];
  /** A watch that lags shows nothing. */
  lags = false;
  list = () => (this.lags ? [] : [...this.blocks.values()]);
  lend = async (block: Block): Promise<void> => void this.blocks.set(block.name, block);
  free = async ({ name }: Block): Promise<void> => void this.blocks.delete(name);
  create = async (block: Block): Promise<"created" | "exists"> => {
    if (this.blocks.has(block.name)) return "exists";
    this.blocks.set(block.name, { ...block, uid: `uid of ${block.name}` });
    return "created";
  };
}

export function nodeWith(claims: FakeClaims, node: string, pools: Pool[] = [pool], hasIpv6 = true) {
  const used = new Set<string>();
  const freed: FreedAddress[] = [];
  let leaving: readonly string[] = [];
  let lending: readonly Lending[] = [];
  const clock = { now: 1_000_000 };
  const disk = { isFull: false };
  const expectSpace = () => {
    if (disk.isFull) throw new Error("no space left on device");
  };
  const refused = new Set<string>();
  const reserved = new Set<string>();
  const allocator = new Allocator({
    node,
    claims,
    refusedBlocks: () => refused,
    reserved: () =>
      reservedAddresses([ipReservation.parse({ metadata: { name: "kept" }, spec: { reservedCIDRs: [...reserved] } })]),
    use: {
      used: () => used,
      freed: () => freed,
      leaving: () => leaving,
      setLeaving: (names) => {
        expectSpace();
        leaving = names;
      },
      lending: () => lending,
      setLending: (all) => {
        expectSpace();
        lending = all;
      },
    },
    loans: claims.answering.length > 0 ? loansOf(claims, node) : undefined,
    now: () => clock.now,
    families: () => (hasIpv6 ? ["IPv4", "IPv6"] : ["IPv4"]),
  });
  return {
    used,
    async take(from = pools) {
      return (await this.takeAll(from))[0] as string;
    },
    async takeAll(from = pools) {
      const taken = await allocator.allocate(from);
      for (const address of addressesOf(taken)) {
        used.add(address);
        const again = freed.findIndex((one) => one.address === address);
        if (again >= 0) freed.splice(again, 1);
      }
      allocator.release(taken);
      return addressesOf(taken);
    },
    free(address: string) {
      used.delete(address);
      freed.push({ address, at: clock.now });
    },
    cool() {
      clock.now += COOLING_MS;
    },
    clock,
    disk,
    refused,
    reserved,
    allocator,
  };
}

// Whoever answers does so at once.
const loansOf = (claims: FakeClaims, node: string): Loans => ({
  lenders: (name) => claims.list().filter((block) => block.pool === name && block.node !== node && !block.borrows),
  soon: async (condition) => {
    for (const other of claims.answering) await other.lend();
    return condition();
  },
});
