import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { address } from "./address.ts";
import { encodeOne } from "./codec.ts";
import { frontend, maps, networkNamespace, policyKey, prefix } from "./layout.gen.ts";

function decodeOne<T>(codec: { decode(view: DataView, at: number): T }, bytes: Uint8Array): T {
  return codec.decode(new DataView(bytes.buffer, bytes.byteOffset), 0);
}

describe("address", () => {
  test("IPv4 is written as ::ffff:a.b.c.d in network order", () => {
    expect(Buffer.from(encodeOne(address, "172.31.1.8")).toString("hex")).toBe("00000000000000000000ffffac1f0108");
  });

  test("IPv6 comes back in its canonical form", () => {
    expect(decodeOne(address, encodeOne(address, "FD00:0:0:0::1"))).toBe("fd00::1");
    expect(decodeOne(address, encodeOne(address, "::"))).toBe("::");
  });

  test("every IPv4 address survives the round trip", () => {
    fc.assert(
      fc.property(fc.ipV4(), (text) => {
        expect(decodeOne(address, encodeOne(address, text))).toBe(text);
      }),
    );
  });

  test("an invalid address is refused with the expected form", () => {
    expect(() => encodeOne(address, "10.0.0")).toThrow(
      '"10.0.0" is not an IP address; expected the form 172.31.1.8 or fd00::1.',
    );
  });
});

describe("generated codecs", () => {
  test("ports are big endian, counters little endian", () => {
    const key = encodeOne(policyKey, { prefixLength: 96, policy: 1, identity: 2, direction: 1, protocol: 6, port: 80 });
    expect(Buffer.from(key).toString("hex")).toBe("60000000010000000200000001060050");
  });

  test("padding is zero even in a reused buffer", () => {
    const bytes = new Uint8Array(frontend.size).fill(0xff);
    frontend.encode({ address: "10.96.0.1", port: 443, protocol: 6 }, new DataView(bytes.buffer), 0);
    expect(Buffer.from(bytes).toString("hex")).toBe("00000000000000000000ffff0a60000101bb0600");
  });

  test("64-bit fields are bigint", () => {
    const key = { cookie: 2n ** 63n };
    expect(decodeOne(networkNamespace, encodeOne(networkNamespace, key))).toEqual(key);
  });

  test("60,000 entries with 60,000 addresses encode in well under a second of processor time", () => {
    const view = new DataView(new ArrayBuffer(60_000 * prefix.size));
    const started = process.cpuUsage(); // other tests share the processor: the wall clock would include them
    for (let index = 0; index < 60_000; index++) {
      prefix.encode(
        { prefixLength: 128, address: `10.${index >> 16}.${(index >> 8) & 255}.${index & 255}` },
        view,
        index * prefix.size,
      );
    }
    expect(process.cpuUsage(started).user / 1000).toBeLessThan(1000);
  });

  test("each map knows the sizes the kernel will use", () => {
    expect(maps.frontends.key.size).toBe(20);
    expect(maps.connections.value.size).toBe(136);
    expect(maps.slots.value.size).toBe(4);
  });
});
