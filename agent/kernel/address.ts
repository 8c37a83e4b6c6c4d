import ipaddr from "ipaddr.js";
import type { Codec } from "./codec.ts";

/** An IPv4 or IPv6 address in its canonical text form (RFC 5952): "172.31.1.8", "fd00::1". On the other side it is
 * `struct address`: 16 bytes in network order, IPv4 as ::ffff:a.b.c.d. */
export type Address = string;

// A cluster uses the same few thousand addresses again and again; parsing is what encoding costs. Beyond the bound the
// cache starts anew: a bound that is never met in practice need not be clever.
const CACHE_LIMIT = 200_000;
const parsed = new Map<Address, Uint32Array>();

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
    const bytes = new Uint8Array(view.buffer, view.byteOffset + at, 16);
    return new ipaddr.IPv6([...bytes]).toRFC5952String();
  },
};

function remember(text: Address): Uint32Array {
  const words = parse(text);
  if (parsed.size >= CACHE_LIMIT) parsed.clear();
  parsed.set(text, words);
  return words;
}

function parse(text: Address): Uint32Array {
  const bytes = parseIpv4(text) ?? parseIpv6(text);
  const view = new DataView(Uint8Array.from(bytes).buffer);
  return Uint32Array.of(view.getUint32(0), view.getUint32(4), view.getUint32(8), view.getUint32(12));
}

// Most addresses are IPv4, and the library takes several times as long for what a regular expression tells.
function parseIpv4(text: Address): number[] | undefined {
  const parts = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(text)?.slice(1).map(Number);
  if (!parts?.every((part) => part < 256)) return undefined;
  return [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, ...parts];
}

function parseIpv6(text: Address): number[] {
  if (ipaddr.IPv6.isValid(text)) return ipaddr.IPv6.parse(text).toByteArray();
  throw new TypeError(`"${text}" is no IP address; expected the form 172.31.1.8 or fd00::1.`);
}
