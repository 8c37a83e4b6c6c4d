import { expect, test } from "vitest";
import { parseCidr } from "../address/address.ts";
import { IdentityMemory, IdentityTable } from "./identity.ts";
import type { Block } from "./vocabulary.ts";

/** A table of policies that name these blocks. */
function tableOf(memory: IdentityMemory, blocks: readonly string[]): IdentityTable {
  const named = blocks.map((text): [string, Block] => [text, { cidr: parseCidr(text), isNamed: true, words: [] }]);
  return new IdentityTable({ selectors: new Map(), blocks: new Map(named), ports: new Set() }, undefined, memory);
}

test("tables that share what they know have the same identities, and none forgets those of the other", () => {
  const first = new IdentityMemory();
  const second = new IdentityMemory(first.identities);
  const block = parseCidr("10.0.0.0/24");
  const identity = tableOf(first, ["10.0.0.0/24"]).ofBlock(block);
  if (!identity) throw new Error("no identity");
  first.forgetUnused(new Set([identity]));
  for (let round = 0; round < 20; round++) {
    const texts = Array.from({ length: 200 }, (_, index) => `10.1.${round}.${index}/32`);
    const table = tableOf(second, texts);
    second.forgetUnused(new Set(texts.flatMap((text) => table.ofBlock(parseCidr(text)) ?? [])));
  }
  expect(first.identities.size).toBeLessThan(2000);
  expect(tableOf(second, ["10.0.0.0/24", "10.2.0.0/24"]).ofBlock(block)).toBe(identity);
});
