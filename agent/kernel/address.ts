import { type Address, addressBytes, addressOf, ipv4Value } from "../../model/address/address.ts";
import type { Codec } from "./codec.ts";

/** `struct address`: 16 bytes in network order, IPv4 as ::ffff:a.b.c.d. */
export const address: Codec<Address> = {
  size: 16,
  encode(text, view, at) {
    const ipv4 = ipv4Value(text);
    if (ipv4 >= 0) {
      view.setUint32(at, 0);
      view.setUint32(at + 4, 0);
      view.setUint32(at + 8, 0xffff);
      view.setUint32(at + 12, ipv4);
      return;
    }
    const words = parsed.get(text) ?? remember(text);
    for (let index = 0; index < 4; index++) view.setUint32(at + index * 4, words[index] as number);
  },
  decode(view, at) {
    if (view.getUint32(at) === 0 && view.getUint32(at + 4) === 0 && view.getUint32(at + 8) === 0xffff) {
      return `${view.getUint8(at + 12)}.${view.getUint8(at + 13)}.${view.getUint8(at + 14)}.${view.getUint8(at + 15)}`;
    }
    return addressOf([...new Uint8Array(view.buffer, view.byteOffset + at, 16)]);
  },
};

// Parsing is the main cost of encoding IPv6, and most calls are for a few addresses (of nodes, and the unset one). When the cache is full,
// it starts empty again.
const CACHE_LIMIT = 4096;
const parsed = new Map<Address, readonly number[]>();

function remember(text: Address): readonly number[] {
  const view = new DataView(Uint8Array.from(addressBytes(text)).buffer);
  const words = [view.getUint32(0), view.getUint32(4), view.getUint32(8), view.getUint32(12)];
  if (parsed.size >= CACHE_LIMIT) parsed.clear();
  parsed.set(text, words);
  return words;
}
