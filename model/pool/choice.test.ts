import { describe, expect, test } from "vitest";
import { ipPool } from "../objects/calico.ts";
import { choosePools, namespacePoolProblems } from "./choice.ts";

const pool = (name: string, cidr: string, spec: object = {}) =>
  ipPool.parse({ metadata: { name }, spec: { cidr, ...spec } });
const pools = [
  pool("racks", "10.2.0.0/16", { nodeSelector: "rack == '1'" }),
  pool("everybody", "10.1.0.0/16", { allowedUses: ["Workload", "Tunnel"] }),
  pool("payments", "10.3.0.0/16", { namespaceSelector: "team == 'pay'" }),
  pool("fixed", "10.4.0.0/16", { assignmentMode: "Manual" }),
  pool("retired", "10.5.0.0/16", { disabled: true }),
  pool("tunnels", "10.6.0.0/16", { allowedUses: ["Tunnel"] }),
  pool("balancers", "10.7.0.0/16", { allowedUses: ["LoadBalancer"] }),
  pool("six", "fd00:1::/64"),
];

interface Asked {
  pod?: Record<string, string>;
  namespace?: { labels?: Record<string, string>; annotations?: Record<string, string> };
  rack?: string;
}
const V4 = "cni.projectcalico.org/ipv4pools";
const V6 = "cni.projectcalico.org/ipv6pools";

function asks({ pod = {}, namespace = {}, rack }: Asked) {
  const { IPv4, IPv6 } = choosePools(pools, {
    pod: { name: "web", labels: {}, annotations: pod },
    namespace: { name: "shop", labels: {}, annotations: {}, ...namespace },
    node: { name: "node", labels: rack === undefined ? {} : { rack }, annotations: {} },
  });
  const inWords = (choice: typeof IPv4) =>
    "fault" in choice ? choice.fault : choice.pools.map(({ metadata }) => metadata.name).join();
  return { IPv4: inWords(IPv4), IPv6: inWords(IPv6) };
}

test.each<[string, Asked, string]>([
  ["no annotation", {}, "everybody"],
  ["a node that a pool selects", { rack: "1" }, "everybody,racks"],
  ["a node of another rack", { rack: "2" }, "everybody"],
  ["a namespace that a pool selects", { namespace: { labels: { team: "pay" } } }, "everybody,payments"],
  ["the pod's own pools, in its order", { pod: { [V4]: '["fixed", "10.1.0.0/16", "fixed"]' } }, "fixed,everybody"],
  ["a pool of other nodes, named", { pod: { [V4]: '["racks"]' }, rack: "2" }, "racks"],
  ["the namespace's pools", { namespace: { annotations: { [V4]: '["fixed"]' } } }, "fixed"],
  [
    "the pod before its namespace",
    { pod: { [V4]: '["racks"]' }, namespace: { annotations: { [V4]: '["fixed"]' } } },
    "racks",
  ],
])("%s", (_, asked, names) => {
  expect(asks(asked)).toEqual({ IPv4: names, IPv6: "six" });
});

const place = `Pod web, metadata.annotations[${V4}]: `;
test.each([
  [
    "a pool of another namespace",
    '["payments"]',
    "IPPool payments is not for this namespace (spec.namespaceSelector: team == 'pay')",
  ],
  [
    "one of several",
    '["everybody", "payments"]',
    "IPPool payments is not for this namespace (spec.namespaceSelector: team == 'pay')",
  ],
  [
    "a pool that does not exist",
    '["blue"]',
    'no IPPool of IPv4 is called "blue"; IPv4 has everybody, fixed, payments and 2 more',
  ],
  [
    "a network in no pool",
    '["192.0.2.0/24"]',
    'no IPPool of IPv4 is called "192.0.2.0/24"; IPv4 has everybody, fixed, payments and 2 more',
  ],
  [
    "a part of a pool",
    '["10.1.0.0/24"]',
    'no IPPool of IPv4 is called "10.1.0.0/24"; IPv4 has everybody, fixed, payments and 2 more',
  ],
  [
    "a pool of the other family",
    '["six"]',
    'no IPPool of IPv4 is called "six"; IPv4 has everybody, fixed, payments and 2 more',
  ],
  ["a disabled pool", '["retired"]', "IPPool retired is disabled"],
  ["a load balancers' pool", '["balancers"]', "IPPool balancers has no addresses for pods (spec.allowedUses)"],
  [
    "a name without a list",
    "everybody",
    '"everybody" is no list of IPPools; expected names or networks, like ["pool-a", "10.244.0.0/24"]',
  ],
  ["an empty list", "[]", '"[]" is no list of IPPools; expected names or networks, like ["pool-a", "10.244.0.0/24"]'],
  [
    "a list of numbers",
    "[4]",
    '"[4]" is no list of IPPools; expected names or networks, like ["pool-a", "10.244.0.0/24"]',
  ],
])("%s is refused", (_, text, fault) => {
  expect(asks({ pod: { [V4]: text } })).toEqual({ IPv4: place + fault, IPv6: "six" });
});

describe("where little is known", () => {
  test("a pool with a selector gives no addresses", () => {
    const unknown = { pod: { name: "web", labels: {}, annotations: {} }, namespace: undefined, node: undefined };
    const named = choosePools(
      [...pools, pool("all", "10.8.0.0/16", { nodeSelector: "all()", namespaceSelector: "all()" })],
      unknown,
    );
    expect(named.IPv4).toMatchObject({ pools: [{ metadata: { name: "all" } }, { metadata: { name: "everybody" } }] });
  });
});

test("a namespace that names a pool without addresses gets an Event", () => {
  const shop = { name: "shop", annotations: { [V4]: '["blue"]', [V6]: '["six"]' } };
  expect(namespacePoolProblems([shop], pools)).toEqual([
    {
      kind: "Namespace",
      name: "shop",
      path: `metadata.annotations[${V4}]`,
      message:
        'no IPPool of IPv4 is called "blue"; IPv4 has everybody, fixed, payments and 2 more; pods of this namespace that name no other pool do not start.',
    },
  ]);
});
