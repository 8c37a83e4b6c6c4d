import { expect, test } from "vitest";
import { transportChecksum } from "../../test/packets/frames.ts";
import { maps } from "../kernel/layout.gen.ts";
import { MemoryMap } from "../kernel/memory-map.ts";
import { announcementFrame } from "./announcement-frame.ts";
import { Announcer } from "./announcer.ts";

const uplink = { name: "eth0", ifindex: 2, mtu: 1500, mac: "02:00:00:00:00:01", up: true, kind: "", addresses: [] };
const VIP = "192.0.2.1";

function announcer() {
  const map = new MemoryMap(maps.announced);
  const sent: [number, string][] = [];
  const one = new Announcer({
    map,
    uplinks: () => [uplink],
    send: (ifindex, frame) => {
      sent.push([ifindex, Buffer.from(frame).toString("hex")]);
      return undefined;
    },
  });
  return { one, map, sent };
}

test("an address is answered for until it is withdrawn, and entries of an earlier agent are removed", () => {
  const { one, map } = announcer();
  map.update([
    [
      { address: "192.0.2.9", interface: 2 },
      { until: 1n, mac: uplink.mac },
    ],
  ]);
  expect(one.announce(new Set([VIP]), 1_000)).toEqual([]);
  expect(map.entries()).toEqual([
    [
      { address: VIP, interface: 2 },
      { until: 4_000_000_000n, mac: uplink.mac },
    ],
  ]);
  one.announce(new Set(), 1_500);
  expect(map.entries()).toEqual([]);
});

test("hosts are told three times, and again when the address comes back", () => {
  const { one, sent } = announcer();
  for (let now = 0; now < 10_000; now += 400) one.announce(new Set([VIP]), now);
  expect(sent).toHaveLength(3);
  one.announce(new Set(), 10_000);
  one.announce(new Set([VIP]), 10_400);
  expect(sent).toHaveLength(4);
});

test("an announcement of IPv6 is a neighbor advertisement to all nodes, with the override flag (RFC 4861, 7.2.6)", () => {
  const bytes = Buffer.from(announcementFrame("2001:db8::240", uplink.mac));
  const own = "20010db8000000000000000000000240";
  expect(bytes.toString("hex").replace(/(?<=^.{112}).{4}/, "____")).toBe(
    [
      "33330000000102000000000186dd",
      `6000000000203aff${own}ff020000000000000000000000000001`,
      `8800____20000000${own}0201020000000001`,
    ].join(""),
  );
  expect(transportChecksum(58, "2001:db8::240", "ff02::1", bytes.subarray(54))).toBe(0);
});

test("an announcement of IPv4 is a broadcast request of the address for itself (RFC 5227)", () => {
  expect(Buffer.from(announcementFrame(VIP, uplink.mac)).toString("hex")).toBe(
    `ffffffffffff0200000000010806${"0001080006040001"}020000000001c0000201000000000000c0000201${"00".repeat(18)}`,
  );
});
