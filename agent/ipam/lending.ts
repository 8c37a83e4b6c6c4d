import { createHash, randomBytes } from "node:crypto";
import { type Address, hostCidr } from "../../model/address/address.ts";
import { type Block, type BlockClaims, blockName, isIn } from "./block.ts";
import type { Intentions, Lending } from "./held-blocks.ts";

/** Blocks of one node whose set of lent addresses is to change. */
export interface Answers {
  readonly blocks: readonly Block[];
  readonly lending: readonly Lending[];
}

/**
 * Answers requests of other nodes for addresses of these blocks of this node, and takes back what is not asked for any more. What was promised once is promised
 * again: the answer of an agent that was killed may arrive late.
 * @param choose an address of the block that nobody has, beside those that are in the set
 */
export function answers(
  own: readonly Block[],
  all: readonly Block[],
  promised: readonly Lending[],
  choose: (request: Block, block: Block, given: ReadonlySet<Address>) => Address | undefined,
): Answers {
  const requests = all.filter(({ borrows, uid }) => borrows && uid !== undefined);
  const alive = new Set(requests.map(({ uid }) => uid));
  const lending = promised.filter(({ request }) => alive.has(request));
  const blocks = own.flatMap((block): Block[] => {
    const before = block.lent ?? [];
    const lent = before.filter(({ request }) => alive.has(request));
    for (const request of requests) {
      const uid = request.uid ?? "";
      if (request.node === block.node || !isIn(request.cidr, block.cidr) || lent.some((one) => one.request === uid))
        continue;
      const given = new Set([...lent, ...lending].map(({ address }) => address));
      const address = lending.find((one) => one.request === uid)?.address ?? choose(request, block, given);
      if (address === undefined) continue;
      lent.push({ address, node: request.node, request: uid });
      if (!lending.some((one) => one.request === uid)) lending.push({ address, request: uid });
    }
    return lent.length === before.length && lent.every((one, place) => one === before[place])
      ? []
      : [{ ...block, lent }];
  });
  return { blocks, lending };
}

/** Addresses of this node's blocks that it must not allocate itself, because its block lends them or may soon do so. */
export function lentOut(own: readonly Block[], all: readonly Block[], memory: Intentions): Set<Address> {
  const alive = new Set(all.filter(({ borrows }) => borrows).map(({ uid }) => uid));
  const promised = memory.lending().filter(({ request }) => alive.has(request));
  return new Set([...own.flatMap(({ lent = [] }) => lent), ...promised].map(({ address }) => address));
}

/** A node's request for an address of another node's block: for any address, or for a certain one. */
export function requestFor(node: string, lender: Pick<Block, "cidr" | "pool">, only?: Address): Block {
  const cidr = only === undefined ? lender.cidr : hostCidr(only).text;
  const ending = only === undefined ? randomBytes(4) : createHash("sha256").update(node).digest().subarray(0, 4);
  const name = `${blockName(cidr)}-${ending.toString("hex")}`;
  return { name, cidr, node, pool: lender.pool, borrows: only === undefined ? "Any" : "This" };
}

/** A request that waits for another node's answer. */
export class Wanted {
  readonly request: Block;
  /** Name of the block. */
  readonly lender: string;

  constructor(request: Block, lender: string) {
    this.request = request;
    this.lender = lender;
  }
}

interface LenderParts {
  readonly claims: Pick<BlockClaims, "list">;
  readonly allocator: { isAsked(): boolean; lend(): Promise<void> };
  /** Resolves once the condition holds. */
  readonly until: (condition: () => boolean) => Promise<void>;
  readonly failed: (message: string) => void;
}

/** Answers as soon as blocks have changed. A failed answer is tried again after the next change, or by the upkeep. */
export async function lendWhenAsked({ claims, allocator, until, failed }: LenderParts): Promise<never> {
  let seen: unknown;
  for (;;) {
    await until(() => claims.list() !== seen);
    seen = claims.list();
    if (allocator.isAsked())
      await allocator.lend().catch((error: unknown) => failed(error instanceof Error ? error.message : String(error)));
  }
}
