import { expect, test } from "vitest";
import { ipamBlock, ipPool } from "../objects/calico.ts";
import { node, pod } from "../objects/core.ts";
import { poolUse } from "./use.ts";

const pool = (name: string, cidr: string, spec = {}) => ipPool.parse({ metadata: { name }, spec: { cidr, ...spec } });
const block = (cidr: string, node: string, of = "four") =>
  ipamBlock.parse({ metadata: { name: cidr }, spec: { cidr, node, pool: of } });
const podAt = (namespace: string, nodeName: string, ips: string[], phase = "Running", hostNetwork = false) =>
  pod.parse({
    metadata: { name: `pod ${ips.join()}`, namespace },
    spec: { nodeName, hostNetwork },
    status: { phase, podIPs: ips.map((ip) => ({ ip })) },
  });

const VXLAN = "in VXLAN to nodes of other subnets";

test.each([
  [{}, VXLAN],
  [{ vxlanMode: "Always" }, "in VXLAN to every node"],
  [{ vxlanMode: "Never" }, "not wrapped"],
  [
    { ipipMode: "CrossSubnet", vxlanMode: "Never" },
    "in IPIP to nodes of other subnets; of Services and of nodes themselves in VXLAN",
  ],
])("a pool of %j says how its packets travel between nodes", (spec, wrapping) => {
  expect(poolUse([pool("four", "10.1.0.0/24", spec)], [], [])).toMatchObject([{ wrapping }]);
});

test("addresses are counted by pool, node and namespace, each family on its own", () => {
  const pools = [
    pool("six", "fd00:1::/64"),
    pool("four", "10.1.0.0/24"),
    pool("balancers", "10.2.0.0/24", { allowedUses: ["LoadBalancer"] }),
  ];
  const blocks = [
    block("10.1.0.0/26", "a"),
    block("10.1.0.64/26", "b"),
    block("fd00:1::/122", "a", "six"),
    block("10.9.0.0/26", "a"),
    block("10.1.0.128/26", "a", "other"),
  ];
  const pods = [
    podAt("shop", "a", ["10.1.0.1", "fd00:1::1"]),
    podAt("shop", "b", ["10.1.0.65"]),
    podAt("pay", "b", ["10.1.0.66"]),
    podAt("shop", "a", ["10.1.0.3"], "Succeeded"),
    podAt("shop", "a", ["10.1.0.4"], "Running", true),
    podAt("shop", "a", ["192.0.2.1"]),
    podAt("shop", "a", []),
  ];
  expect(poolUse(pools, blocks, pods)).toEqual([
    {
      ...{ pool: "four", cidr: "10.1.0.0/24", all: 256, claimed: 128, used: 3, wrapping: VXLAN },
      byNode: new Map([
        ["a", { claimed: 64, used: 1 }],
        ["b", { claimed: 64, used: 2 }],
      ]),
      byNamespace: new Map([
        ["shop", 2],
        ["pay", 1],
      ]),
    },
    {
      ...{ pool: "six", cidr: "fd00:1::/64", all: 2 ** 64, claimed: 64, used: 1, wrapping: VXLAN },
      byNode: new Map([["a", { claimed: 64, used: 1 }]]),
      byNamespace: new Map([["shop", 1]]),
    },
  ]);
});

test("with ipam HostLocal each node is shown with what its pods may have of the pool, also before it has a block", () => {
  const nodes = [
    ["a", "10.1.0.0/26"],
    ["b", "10.1.0.64/26"],
  ].map(([name, cidr]) => node.parse({ metadata: { name }, spec: { podCIDRs: [cidr] } }));
  expect(poolUse([pool("four", "10.1.0.0/24")], [block("10.1.0.0/26", "a")], [], nodes)[0]?.byNode).toEqual(
    new Map([
      ["a", { claimed: 64, used: 0, podCidr: "10.1.0.0/26" }],
      ["b", { claimed: 0, used: 0, podCidr: "10.1.0.64/26" }],
    ]),
  );
});
