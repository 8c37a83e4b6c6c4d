// Attributes of netlink messages: a length, a type and a value each (netlink.h, struct nlattr).
import { type Address, addressBytes, familyOf } from "../../model/address/address.ts";

const HEADER = 4;
const NESTED = 0x8000;
const FLAGS = 0xc000;

/** Filled up to where the next one may begin. */
export function attribute(type: number, value: Uint8Array): Buffer {
  const bytes = Buffer.alloc((HEADER + value.length + 3) & ~3);
  bytes.writeUInt16LE(HEADER + value.length, 0);
  bytes.writeUInt16LE(type, 2);
  bytes.set(value, HEADER);
  return bytes;
}

/** One that holds others, marked as such. */
export function nested(type: number, inside: readonly Uint8Array[]): Buffer {
  return attribute(type | NESTED, Buffer.concat(inside));
}

export function number32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}

export function number16(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16LE(value);
  return bytes;
}

export const text = (value: string) => Buffer.from(`${value}\0`);

/** 4 bytes of IPv4, 16 of IPv6. */
export function addressValue(address: Address): Buffer {
  const bytes = Buffer.from(addressBytes(address));
  return familyOf(address) === "IPv6" ? bytes : bytes.subarray(12);
}

/** The attributes that lie one behind the other, in their order. */
export function attributesIn(bytes: Uint8Array): { readonly type: number; readonly value: Buffer }[] {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  const found: { type: number; value: Buffer }[] = [];
  for (let at = 0; at + HEADER <= buffer.length; ) {
    const length = buffer.readUInt16LE(at);
    if (length < HEADER) break;
    found.push({ type: buffer.readUInt16LE(at + 2) & ~FLAGS, value: buffer.subarray(at + HEADER, at + length) });
    at += (length + 3) & ~3;
  }
  return found;
}

/** The value of the first one of the type. */
export function attributeOf(bytes: Uint8Array, type: number): Buffer | undefined {
  return attributesIn(bytes).find((one) => one.type === type)?.value;
}
