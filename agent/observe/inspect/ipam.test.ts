import { expect, test } from "vitest";
import { poolUseLine, poolUseView } from "./ipam.ts";
import { asTable } from "./table.ts";

test("the use of pools is shown by pool, node and namespace", () => {
  const line = poolUseLine({
    ...{ pool: "four", cidr: "10.1.0.0/24", all: 256, claimed: 64, used: 3, wrapping: "not wrapped" },
    byNode: new Map([
      ["b", { claimed: 0, used: 1 }],
      ["a", { claimed: 64, used: 2, podCidr: "10.1.0.0/25" }],
    ]),
    byNamespace: new Map([["shop", 3]]),
  });
  expect(
    asTable(poolUseView([line]))
      .split("\n")
      .map((row) => row.trim().split(/ {2,}/)),
  ).toEqual([
    ["POOL", "OF", "USED", "CLAIMED", "BETWEEN NODES"],
    ["four", "10.1.0.0/24", "3 of 256 (1 %)", "64 of 256 (25 %)", "not wrapped"],
    ["four", "node a, podCIDR 10.1.0.0/25", "2 of 64 (3 %)", "64"],
    ["four", "node b", "1 of 0", "0"],
    ["four", "namespace shop", "3"],
  ]);
  expect(asTable(poolUseView([]))).toBe("There is no IPPool for pods.");
});

test("the size of an IPv6 pool is a power of two", () => {
  const six = {
    pool: "six",
    cidr: "fd00::/56",
    all: 2 ** 72,
    claimed: 64,
    used: 3,
    wrapping: "in VXLAN to every node",
  };
  const line = poolUseLine({ ...six, byNode: new Map(), byNamespace: new Map() });
  expect(poolUseView([line]).rows).toEqual([
    ["six", "fd00::/56", "3 of 2^72 (0 %)", "64 of 2^72 (0 %)", "in VXLAN to every node"],
  ]);
});
