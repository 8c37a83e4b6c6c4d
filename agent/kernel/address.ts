import { type Address, addressBytes, addressOf } from "../../model/address/address.ts";
import type { Codec } from "./codec.ts";

// A cluster uses the same few thousand addresses all the time, and parsing is the main cost of encoding. Beyond the bound the
// cache starts empty: in practice it is never reached, so a simple rule is enough.
const CACHE_LIMIT = 200_000;
const parsed = new Map<Address, Uint32Array>();

/** `struct address`: 16 bytes in network order, IPv4 as ::ffff:a.b.c.d. */
export const address: Codec<Address> = {
  size: 16,
  encode(text, view, at) {
    const words = parsed.get(text) ?? remember(text);
    for (let index = 0; index < 4; index++) view.setUint32(at + index * 4, words[index] as number, false);
  },
  decode(view, at) {
    if (view.getUint32(at) === 0 && view.getUint32(at + 4) === 0 && view.getUint32(at + 8) === 0xffff) {
      return `${view.getUint8(at + 12)}.${view.getUint8(at + 13)}.${view.getUint8(at + 14)}.${view.getUint8(at + 15)}`;
    }
    return addressOf([...new Uint8Array(view.buffer, view.byteOffset + at, 16)]);
  },
};

function remember(text: Address): Uint32Array {
  const view = new DataView(Uint8Array.from(addressBytes(text)).buffer);
  const words = Uint32Array.of(view.getUint32(0), view.getUint32(4), view.getUint32(8), view.getUint32(12));
  if (parsed.size >= CACHE_LIMIT) parsed.clear();
  parsed.set(text, words);
  return words;
}
