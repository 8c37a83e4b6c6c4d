import { expect, test } from "vitest";
import { type Encapsulating, encapsulationOverhead, mtuWithinEncryption } from "./encapsulation.ts";

test.each([
  ["no pool", [], 0],
  ["the default, CrossSubnet", [{}], 50],
  ["IPIP", [{ ipipMode: "Always" }], 20],
  ["IPIP, of which a router may be in the way", [{ ipipMode: "CrossSubnet", vxlanMode: "Never" }], 20],
  ["IPIP beside VXLAN", [{ ipipMode: "Always" }, { vxlanMode: "CrossSubnet" }], 50],
  ["neither", [{ ipipMode: "Never", vxlanMode: "Never" }], 0],
  ["Never", [{ vxlanMode: "Never" }], 0],
  ["Always", [{ vxlanMode: "Always" }], 50],
  ["CrossSubnet", [{ vxlanMode: "CrossSubnet" }], 50],
  ["two pools: pods of the first send to those of the second", [{ vxlanMode: "Never" }, { vxlanMode: "Always" }], 50],
  ["a disabled pool: its pods may live", [{ vxlanMode: "Always", disabled: true }], 50],
  ["load balancers' addresses", [{ vxlanMode: "Always", allowedUses: ["LoadBalancer"] }], 0],
] as const)("%s: %j leaves %i bytes over IPv4", (_, specs, overhead) => {
  expect(
    encapsulationOverhead(
      specs.map((spec) => ({ spec }) as Encapsulating),
      "IPv4",
    ),
  ).toBe(overhead);
});

test("outer headers of IPv6 are larger", () => {
  expect(encapsulationOverhead([{ spec: { vxlanMode: "Always" } }], "IPv6")).toBe(70);
  expect(encapsulationOverhead([{ spec: { ipipMode: "Always" } }], "IPv6")).toBe(70); // in VXLAN there
});

test.each([
  [1500, "IPv4", 1440],
  [1450, "IPv4", 1376],
  [1500, "IPv6", 1408],
  [9000, "IPv6", 8912],
] as const)(
  "of a link of %i bytes between nodes of %s, a packet of %s bytes fits once WireGuard has filled it up",
  (mtu, family, most) => {
    expect(mtuWithinEncryption(mtu, family)).toBe(most);
  },
);
