import { expect, test } from "vitest";
import { ipPool } from "../objects/calico.ts";
import { node } from "../objects/core.ts";
import { hostLocalProblems, partFault, partsOf, podCidrsOf } from "./host-local.ts";

const pool = (name: string, cidr: string, spec = {}) => ipPool.parse({ metadata: { name }, spec: { cidr, ...spec } });
const nodeWith = (...podCIDRs: string[]) => node.parse({ metadata: { name: "here" }, spec: { podCIDRs } });

const four = pool("four", "10.244.0.0/16");
const six = pool("six", "fd00:10:244::/56");
const within = (pools: (typeof four)[], ...podCidrs: string[]) =>
  partsOf(pools, podCidrsOf(nodeWith(...podCidrs))).map((part) => `${part.pool.metadata.name} ${part.cidr}`);

test("of the pools a node's pods have what its networks and they share", () => {
  expect(within([four, six], "10.244.1.0/24", "fd00:10:244:1::/64")).toEqual([
    "four 10.244.1.0/24",
    "six fd00:10:244:1::/64",
  ]);
  const parts = [pool("b", "10.244.1.128/25"), pool("a", "10.244.1.0/26"), pool("other", "10.9.0.0/16")];
  expect(within(parts, "10.244.1.0/24")).toEqual(["b 10.244.1.128/25", "a 10.244.1.0/26"]);
  expect(within([four])).toEqual([]);
});

test("a network that is smaller than a block is no part: the block would be other nodes' too", () => {
  expect(within([four], "10.244.1.0/26")).toEqual(["four 10.244.1.0/26"]);
  expect(within([four], "10.244.1.0/27")).toEqual([]);
  expect(within([pool("small", "10.244.0.0/16", { blockSize: 28 })], "10.244.1.0/27")).toEqual(["small 10.244.1.0/27"]);
});

test.each([
  [["10.244.1.0/24"], undefined, undefined],
  [["10.244.1.0/24"], "10.244.1.9", undefined],
  [["10.244.1.0/24"], "10.244.2.9", "10.244.2.9 is not in spec.podCIDRs of node here (10.244.1.0/24; ipam HostLocal)"],
  [[], undefined, "node here has no spec.podCIDRs of IPv4 (ipam HostLocal)"],
  [
    ["10.9.0.0/24"],
    undefined,
    "no block of the IP pools four (10.244.0.0/16) fits into spec.podCIDRs of node here (10.9.0.0/24; ipam HostLocal)",
  ],
])("networks %j, asked for %s: %s", (podCidrs, only, fault) => {
  expect(partFault("IPv4", [four], nodeWith(...podCidrs), only)).toBe(fault);
});

const told = (podCidrs: string[], pools = [four, six], families: ("IPv4" | "IPv6")[] = ["IPv4", "IPv6"]) =>
  hostLocalProblems(nodeWith(...podCidrs), pools, families).map(({ path, message }) => `${path}: ${message}`);

test("a node tells which of its networks give no addresses, and which family it lacks", () => {
  expect(told(["10.244.1.0/24", "fd00:10:244:1::/64"])).toEqual([]);
  expect(told(["10.244.1.0/24"], [four, six], ["IPv4"])).toEqual([]);
  expect(told(["10.244.1.0/24"])).toEqual([expect.stringMatching(/^spec\.podCIDRs: it has no network of IPv6/)]);
  expect(told([], [four])).toEqual([expect.stringMatching(/^spec\.podCIDRs: it has no network of IPv4/)]);
  expect(told(["10.244.1.0/24", "10.9.0.0/24"], [four])).toEqual([
    expect.stringMatching(
      /^spec\.podCIDRs\[1\]: 10\.9\.0\.0\/24 is in no enabled IPPool for pods \(there are four \(10\.244\.0\.0\/16\)\)/,
    ),
  ]);
  expect(told(["10.244.1.0/27"], [four])).toEqual([
    expect.stringMatching(
      /^spec\.podCIDRs\[0\]: 10\.244\.1\.0\/27 is smaller than a block of the IPPool four \(blockSize 26\).* 27 or more/,
    ),
  ]);
  expect(told(["10.244.1.0"], [four])[0]).toMatch(/^spec\.podCIDRs\[0\]: "10\.244\.1\.0" is no network/);
  const closed = [
    pool("off", "10.244.0.0/16", { disabled: true }),
    pool("lb", "10.9.0.0/16", { allowedUses: ["LoadBalancer"] }),
  ];
  expect(told(["10.9.0.0/24"], closed)[0]).toContain("there are none");
});
