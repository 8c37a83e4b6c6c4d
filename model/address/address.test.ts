import fc from "fast-check";
import ipaddr from "ipaddr.js";
import { describe, expect, test } from "vitest";
import {
  addressAt,
  addressBytes,
  addressOf,
  addressText,
  addressValue,
  broadcastOf,
  canonicalAddress,
  contains,
  covers,
  familyOf,
  hostCidr,
  ipv4Value,
  isEverything,
  lastAddress,
  overlap,
  parseCidr,
  readCidr,
  sizeOf,
  useOf,
  writtenLength,
} from "./address.ts";
import { CidrIndex } from "./cidr-index.ts";

const MAPPED = 0xffffn << 32n;
/** Any address of either family as a 128-bit number, small ones as likely as large ones. */
const value = fc.oneof(
  fc.bigInt({ min: MAPPED, max: MAPPED + 0xffff_ffffn }),
  fc.bigInt({ min: 0n, max: (1n << 128n) - 1n }),
);
const block = fc.tuple(value, fc.integer({ min: 0, max: 128 })).map(([number, length]) => {
  const text = addressText(number);
  return parseCidr(`${text}/${familyOf(text) === "IPv4" ? length % 33 : length}`);
});

describe("addresses of both families", () => {
  test("text, number and bytes of an address say the same", () => {
    fc.assert(
      fc.property(value, (number) => {
        const text = addressText(number);
        expect(addressValue(text)).toBe(number);
        expect(canonicalAddress(text)).toBe(text);
        expect(addressOf(addressBytes(text))).toBe(text);
        expect(familyOf(text)).toBe(number >> 32n === 0xffffn ? "IPv4" : "IPv6");
      }),
    );
  });

  test("every way to write an IPv6 address has one canonical text", () => {
    const texts = ["fd00:0:0:0:0:0:0:1", "FD00::1", "fd00:0000::0001", "fd00::0:1"];
    expect(new Set(texts.map(canonicalAddress))).toEqual(new Set(["fd00::1"]));
    expect(canonicalAddress("::ffff:172.31.1.8")).toBe("172.31.1.8");
  });

  test.each(["", "172.31.1", "172.31.1.256", "010.1.1.1", "0x7f.0.0.1", "fd00::g", "fd00:::1", "1::2::3", "nginx"])(
    "%j is not an address",
    (text) => {
      expect(familyOf(text)).toBeUndefined();
      expect(() => addressValue(text)).toThrow(TypeError);
      expect(() => addressBytes(text)).toThrow(TypeError);
      expect(() => hostCidr(text)).toThrow(TypeError);
    },
  );

  test("says what an address is for", () => {
    const uses = [
      "127.0.0.1",
      "::1",
      "0.0.0.0",
      "::",
      "224.0.0.1",
      "ff02::1",
      "169.254.1.1",
      "fe80::1",
      "::4",
      "::1:4",
    ].map(useOf);
    expect(uses).toEqual([
      ...["loopback", "loopback", "unspecified", "unspecified", "multicast", "multicast", "linkLocal", "linkLocal"],
      ...["ipv4Compatible", "ipv4Compatible"],
    ]);
  });
});

describe("blocks of both families", () => {
  test("a block written and read is the same block, without host bits", () => {
    fc.assert(
      fc.property(value, fc.integer({ min: 0, max: 128 }), (number, length) => {
        const text = addressText(number);
        const bits = familyOf(text) === "IPv4" ? 32 : 128;
        const cidr = parseCidr(`${text}/${length % (bits + 1)}`);
        expect(writtenLength(cidr)).toBe(length % (bits + 1));
        expect(parseCidr(cidr.text)).toEqual(cidr);
        expect(sizeOf(cidr)).toBe(1n << BigInt(bits - writtenLength(cidr)));
        expect(cidr.value % sizeOf(cidr)).toBe(0n);
        expect(covers(cidr, hostCidr(text))).toBe(true);
        expect(contains(cidr, text)).toBe(true);
        expect(isEverything(cidr)).toBe(length % (bits + 1) === 0);
      }),
    );
  });

  test("covers exactly the addresses from the first to the last", () => {
    fc.assert(
      fc.property(block, value, (cidr, number) => {
        const address = hostCidr(addressText(number));
        const between = cidr.value <= number && number < cidr.value + sizeOf(cidr);
        expect(covers(cidr, address)).toBe(between && cidr.family === address.family);
        expect(contains(cidr, addressText(number))).toBe(between && cidr.family === address.family);
        expect(addressAt(cidr, 0n)).toBe(cidr.address);
        expect(addressValue(lastAddress(cidr))).toBe(cidr.value + sizeOf(cidr) - 1n);
      }),
    );
  });

  test("overlap is symmetric: one of the two covers the other", () => {
    fc.assert(
      fc.property(block, block, (one, other) => {
        expect(overlap(one, other)).toBe(overlap(other, one));
        expect(overlap(one, other)).toBe(covers(one, other) || covers(other, one));
        expect(overlap(one, one)).toBe(true);
      }),
    );
  });

  test("an index answers as asking every block does, the longest first", () => {
    fc.assert(
      fc.property(fc.array(block, { maxLength: 20 }), block, (blocks, asked) => {
        const index = new CidrIndex<string>();
        for (const one of blocks) index.set(one, one.text);
        const expected = [...new Map(blocks.map((one) => [one.text, one])).values()]
          .filter((one) => covers(one, asked))
          .sort((a, b) => b.prefixLength - a.prefixLength);
        expect(index.covering(asked)).toEqual(expected.map(({ text }) => text));
        expect(index.at(asked)).toBe(blocks.find(({ text }) => text === asked.text)?.text);
      }),
    );
  });

  test("a block of IPv4-mapped addresses is the IPv4 block; a wider one is IPv6", () => {
    expect(parseCidr("::ffff:10.244.0.0/112")).toEqual(parseCidr("10.244.0.0/16"));
    expect(hostCidr("::ffff:10.244.0.1")).toEqual(hostCidr("10.244.0.1"));
    expect(parseCidr("::ffff:0:0/95").family).toBe("IPv6");
  });

  test("has a broadcast address where a subnet has one", () => {
    const texts = ["172.31.1.0/24", "172.31.1.0/31", "172.31.1.8/32", "fd00::/64"];
    expect(texts.map((text) => broadcastOf(parseCidr(text)))).toEqual([
      "172.31.1.255",
      undefined,
      undefined,
      undefined,
    ]);
  });

  // "10.0.0.0/" was read as 10.0.0.0/0: a list of source ranges with it admitted everybody.
  test.each([
    "10.0.0.0",
    "10.0.0.0/",
    "10.0.0.0/ 8",
    "10.0.0.0/0x8",
    "10.0.0.0/1e1",
    "10.0.0.0/-1",
    "10.0.0.0/33",
    "::/129",
    "/8",
  ])("%j is not a block", (text) => {
    expect(readCidr(text)).toBeUndefined();
    expect(() => parseCidr(text)).toThrow(TypeError);
  });
});

describe("ipv4Value()", () => {
  const part = fc.oneof(
    fc.nat(300).map(String),
    fc.constantFrom("", "00", "01", "-1", "+1", "1e1", " 1", "٣", "99999999999"),
  );
  const texts = fc.array(part, { minLength: 1, maxLength: 6 }).map((parts) => parts.join("."));

  test("takes what ipaddr.js takes, and says the same value", () => {
    fc.assert(
      fc.property(fc.oneof(texts, fc.string(), fc.ipV4(), fc.ipV6()), (text) => {
        const valid = ipaddr.IPv4.isValidFourPartDecimal(text);
        const value = valid ? ipaddr.IPv4.parse(text).octets.reduce((sum, octet) => sum * 256 + octet, 0) : -1;
        expect(ipv4Value(text)).toBe(value);
      }),
      { numRuns: 2000 },
    );
  });
});
