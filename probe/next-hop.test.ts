import { expect, test } from "vitest";
import { whyUnsent } from "./next-hop.ts";

const titles = "Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\tMTU\tWindow\tIRTT\n";
const onLink = "eth0\t00011FAC\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0\n";
const byDefault = "eth0\t00000000\t01011FAC\t0003\t0\t0\t0\t00000000\t0\t0\t0\n";
const neighbour = (address: string, flags: string) =>
  `IP address  HW type  Flags  HW address  Mask  Device\n${address}  0x1  ${flags}  00:00:00:00:00:00  *  eth0\n`;

const why = (address: string, routes: string, neighbours: string, error?: string) =>
  whyUnsent(address, error, () => ({ routes: titles + routes, neighbours }));

test("an unanswered ARP means that no packet left: of the address itself, or of the gateway to it", () => {
  expect(why("172.31.1.8", byDefault + onLink, neighbour("172.31.1.8", "0x0"))).toBe(
    "172.31.1.8 does not answer ARP on eth0",
  );
  expect(why("10.96.0.1", byDefault + onLink, neighbour("172.31.1.1", "0x0"))).toBe(
    "172.31.1.1 does not answer ARP on eth0",
  );
});

test("packets leave if the next hop is known, or was never resolved", () => {
  expect(why("172.31.1.8", onLink, neighbour("172.31.1.8", "0x2"))).toBeUndefined();
  expect(why("172.31.1.8", onLink, neighbour("172.31.1.9", "0x0"))).toBeUndefined();
});

test("a missing route counts if the kernel reports it", () => {
  expect(why("172.31.1.8", "", "", "ENETUNREACH")).toBe("there is no route to 172.31.1.8");
  expect(why("10.96.0.1", onLink, "")).toBeUndefined();
});

test("nothing is reported for addresses that the tables do not contain", () => {
  expect(whyUnsent("fd00::8", "ENETUNREACH")).toBeUndefined();
  expect(whyUnsent("127.0.0.1", undefined)).toBeUndefined();
});
