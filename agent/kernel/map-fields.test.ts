import { expect, test } from "vitest";
import type { Codec } from "./codec.ts";
import { ConnectionFlag } from "./layout.gen.ts";
import { codecOfOther, type Fields } from "./map-fields.ts";

const fields = (size: number, at: Record<string, [offset: number, size: number]>): Fields => ({
  size,
  at: new Map(Object.entries(at).map(([path, [offset, bytes]]) => [path, { offset, size: bytes }])),
});

const pair: Codec<{ count: bigint; flags: number; inner: number }> = {
  size: 16,
  encode: () => undefined,
  decode: (view, at) => ({
    count: view.getBigUint64(at, true),
    flags: view.getUint32(at + 8, true),
    inner: view.getUint32(at + 12, true),
  }),
};
const own = fields(16, { count: [0, 8], flags: [8, 4], "hop.inner": [12, 4] });

function read(other: Fields, bytes: number[], forgotten?: string[]) {
  return codecOfOther(pair, own, other, forgotten).decode(new DataView(Uint8Array.from([0xff, ...bytes]).buffer), 1);
}

test("a field is found by its name, may have been shorter or longer, and is zero where it is missing", () => {
  const shorter = fields(6, { "hop.inner": [0, 4], count: [4, 2] });
  expect(read(shorter, [1, 2, 0, 0, 7, 1])).toEqual({ count: 263n, flags: 0, inner: 513 });
  const longer = fields(12, { gone: [0, 4], flags: [4, 8] });
  expect(read(longer, [9, 9, 9, 9, 5, 0, 0, 0, 9, 9, 9, 9])).toEqual({ count: 0n, flags: 5, inner: 0 });
});

test("what is found anew is zero, with all that is within", () => {
  const same = fields(8, { flags: [0, 4], "hop.inner": [4, 4] });
  expect(read(same, [1, 0, 0, 0, 2, 0, 0, 0], ["hop"])).toEqual({ count: 0n, flags: 1, inner: 0 });
});

// Entries of other versions are taken over: a number that means something else would change what becomes of their packets.
test("flags of connections keep their numbers; a new one is added at the end", () => {
  expect(Object.entries(ConnectionFlag).map(([name, value]) => `${Math.log2(value)} ${name}`)).toEqual([
    ...["0 REPLY", "1 TRANSLATED", "2 FORWARDED", "3 VIA_ENTRY", "4 DIRECT_RETURN", "5 SYN", "6 CLOSED", "7 FIN"],
    ...["8 ANSWERED", "9 HOST_BACKEND", "10 VIA_STACK", "11 JUDGED_LATER", "12 LARGE", "13 RESET", "14 HAIRPIN"],
    ...["15 MASQUERADED", "16 REFUSED", "17 NOT_JUDGED", "18 BY_GATEWAY"],
  ]);
});
