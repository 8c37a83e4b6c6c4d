import { expect, test } from "vitest";
import { attribute, attributeOf, attributesIn, nested } from "./netlink-attributes.ts";
import { readDevice, wireguardRequests } from "./wireguard.ts";

const key = (byte: number) => Buffer.alloc(32, byte).toString("base64");
const PEERS = 8;
/** One allowed address: its family, the address and its length in bits. */
const allowedHex = "1c000080" + "0600010002000000" + "08000200c0000207" + "0500030020000000";

test("a request names the device, its key and port, and each peer with where it is and the only address it may have", () => {
  const [own = Buffer.alloc(0), peers = Buffer.alloc(0)] = wireguardRequests("wg", {
    privateKey: key(1),
    port: 51820,
    mark: 0xebf00001,
    remove: [key(2)],
    peers: [{ publicKey: key(3), address: "192.0.2.7" }],
  });
  expect(attributesIn(own).map(({ type, value }) => [type, value.toString("hex")])).toEqual([
    [2, "776700"],
    [3, "01".repeat(32)],
    [6, "6cca"],
    [7, "0100f0eb"],
  ]);
  const [gone, there] = attributesIn(attributeOf(peers, PEERS) ?? Buffer.alloc(0));
  expect(attributesIn(gone?.value ?? own).map(({ type, value }) => [type, value.toString("hex")])).toEqual([
    [1, "02".repeat(32)],
    [3, "01000000"],
  ]);
  expect(attributesIn(there?.value ?? own).map(({ type, value }) => [type, value.toString("hex")])).toEqual([
    [1, "03".repeat(32)],
    [3, "02000000"],
    [4, "0200ca6cc00002070000000000000000"],
    [9, allowedHex],
  ]);
});

test("an address of IPv6 takes all of it", () => {
  const [, peers = Buffer.alloc(0)] = wireguardRequests("wg", {
    ...{ port: 51820, mark: 1, remove: [] },
    peers: [{ publicKey: key(3), address: "fd00::7" }],
  });
  const [peer] = attributesIn(attributeOf(peers, PEERS) ?? Buffer.alloc(0));
  const endpoint = attributeOf(peer?.value ?? peers, 4)?.toString("hex");
  expect(endpoint).toBe(`0a00ca6c00000000fd00${"0".repeat(26)}0700000000`);
});

test("many peers are told in several messages", () => {
  const peers = Array.from({ length: 1200 }, (_, index) => ({ publicKey: key(index % 256), address: "192.0.2.7" }));
  const requests = wireguardRequests("wg", { port: 1, mark: 1, remove: [], peers });
  expect(requests).toHaveLength(4);
  for (const request of requests) expect(request.length).toBeLessThan(100_000);
  expect(requests.flatMap((one) => attributesIn(attributeOf(one, PEERS) ?? Buffer.alloc(0)))).toHaveLength(1200);
});

test("what the kernel lists is read over all of its messages; a device without a key has none", () => {
  const seconds = Buffer.alloc(16);
  seconds.writeBigInt64LE(1_700_000_000n);
  const count = (value: bigint) => Buffer.from(BigUint64Array.of(value).buffer);
  const peer = nested(0, [
    attribute(1, Buffer.alloc(32, 3)),
    attribute(4, Buffer.from("0200ca6cc00002070000000000000000", "hex")),
    attribute(6, seconds),
    attribute(7, count(10n)),
    attribute(8, count(20n)),
  ]);
  const silent = nested(0, [attribute(1, Buffer.alloc(32, 4)), attribute(6, Buffer.alloc(16))]);
  const device = readDevice([
    Buffer.concat([attribute(4, Buffer.alloc(32, 9)), nested(8, [peer])]),
    nested(8, [silent]),
  ]);
  expect(device).toEqual({
    publicKey: key(9),
    peers: [
      { publicKey: key(3), address: "192.0.2.7", lastHandshake: 1_700_000_000, received: 10n, sent: 20n },
      { publicKey: key(4), address: "::", lastHandshake: 0, received: 0n, sent: 0n },
    ],
  });
  expect(readDevice([attribute(4, Buffer.alloc(32))])).toEqual({ publicKey: undefined, peers: [] });
});
