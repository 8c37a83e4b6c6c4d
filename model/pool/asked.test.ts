import { expect, test } from "vitest";
import { ipPool } from "../objects/calico.ts";
import { pod } from "../objects/core.ts";
import { ADDRESSES, ADDRESSES_WITHOUT_IPAM, askedAddresses, podWithAddress } from "./asked.ts";

const pool = (name: string, cidr: string, spec: object = {}) =>
  ipPool.parse({ metadata: { name }, spec: { cidr, ...spec } });
const pools = [
  pool("everybody", "10.1.0.0/16"),
  pool("payments", "10.3.0.0/16", { namespaceSelector: "team == 'pay'" }),
  pool("fixed", "10.4.0.0/16", { assignmentMode: "Manual", nodeSelector: "rack == '1'" }),
  pool("retired", "10.5.0.0/16", { disabled: true }),
  pool("balancers", "10.7.0.0/16", { allowedUses: ["LoadBalancer"] }),
  pool("six", "fd00:1::/64"),
];

function asks(annotations: Record<string, string>, team = "shop") {
  const asked = askedAddresses(pools, {
    pod: { name: "web", labels: {}, annotations },
    namespace: { name: "shop", labels: { team }, annotations: {} },
  });
  const inWords = (choice: NonNullable<typeof asked>["IPv4"]) =>
    "fault" in choice
      ? choice.fault
      : choice.pools.map(({ metadata }) => `${choice.only} of ${metadata.name}`).join() || "none";
  return asked && [inWords(asked.IPv4), inWords(asked.IPv6)];
}

test.each([
  ['["10.1.2.3"]', "10.1.2.3 of everybody", "none"],
  ['["FD00:1:0::9"]', "none", "fd00:1::9 of six"],
  ['["fd00:1::9", "10.4.0.1"]', "10.4.0.1 of fixed", "fd00:1::9 of six"],
])("%s", (text, ...found) => {
  expect(asks({ [ADDRESSES]: text })).toEqual(found);
});

test("a pod that asks for none is as any other, and a pool of its namespace's is its own", () => {
  expect(asks({ "cni.projectcalico.org/ipv4pools": '["fixed"]' })).toBeUndefined();
  expect(asks({ [ADDRESSES]: '["10.3.0.1"]' }, "pay")).toEqual(["10.3.0.1 of payments", "none"]);
});

const place = `Pod web, metadata.annotations[${ADDRESSES}]: `;
test.each([
  ['["10.3.0.1"]', "10.3.0.1: IPPool payments is not for this namespace (spec.namespaceSelector: team == 'pay')"],
  ['["10.5.0.1"]', "10.5.0.1: IPPool retired is disabled"],
  ['["10.7.0.1"]', "10.7.0.1: IPPool balancers has no addresses for pods (spec.allowedUses)"],
  [
    '["192.0.2.1"]',
    "192.0.2.1 is in no IPPool; there are everybody (10.1.0.0/16), fixed (10.4.0.0/16), payments (10.3.0.0/16) and 2 more",
  ],
])("%s is refused", (text, fault) => {
  expect(asks({ [ADDRESSES]: text })).toEqual([place + fault, "none"]);
});

test.each([
  "10.1.2.3",
  "[]",
  "[7]",
  '["10.1.2.3/32"]',
  '["10.1.2"]',
  '["10.1.2.3", ""]',
  '["10.1.2.3", "10.1.2.4"]',
  '["10.1.2.3", "fd00:1::9", "fd00:1::a"]',
])("%s is no list of one address of each family", (text) => {
  const fault = `${place}"${text}" is no list of addresses; expected one of a family, like ["10.244.0.7"] or ["10.244.0.7", "fd00:10:244::7"]`;
  expect(asks({ [ADDRESSES]: text })).toEqual([fault, fault]);
});

test("addresses beside IPAM are refused, also beside such of it", () => {
  const asked = asks({ [ADDRESSES]: '["10.1.2.3"]', [ADDRESSES_WITHOUT_IPAM]: '["10.1.2.3"]' });
  expect(asked?.[0]).toMatch(/^Pod web, metadata.annotations\[cni.projectcalico.org\/ipAddrsNoIpam\]: refused: /);
});

test("an address is another pod's while that one has it, not of one that has ended, nor of the asking pod", () => {
  const named = (name: string, more: object = {}) =>
    pod.parse({
      metadata: { name, namespace: "shop", uid: name },
      spec: {},
      status: { podIPs: [{ ip: "fd00:1:0::9" }], ...more },
    });
  const asking = { namespace: "shop", pod: "web", uid: "web" };
  expect(podWithAddress("fd00:1::9", [named("web"), named("old", { phase: "Failed" })], asking)).toBeUndefined();
  expect(podWithAddress("fd00:1::9", [named("web"), named("db")], asking)?.metadata.name).toBe("db");
  expect(podWithAddress("fd00:1::9", [named("web")], { ...asking, uid: "newer" })?.metadata.name).toBe("web");
});
