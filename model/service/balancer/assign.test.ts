import fc from "fast-check";
import { expect, test } from "vitest";
import { parseCidr } from "../../address/address.ts";
import { ipReservation } from "../../objects/calico.ts";
import { reservedAddresses } from "../../pool/reserved.ts";
import { type AddressPool, type Assignment, assignAddresses, type Claimant } from "./assign.ts";

const pool = (cidr: string, name = "lb", disabled = false): AddressPool => ({ name, cidr: parseCidr(cidr), disabled });
const claimant = (name: string, more: Partial<Claimant> = {}): Claimant => ({
  name,
  age: name,
  request: undefined,
  sharing: undefined,
  ports: ["80/TCP"],
  local: false,
  held: [],
  ...more,
});
const asking = (...addresses: string[]) => ({ addresses, path: "spec.loadBalancerIP" });
const notGiven = (reserved: string[] = [], ...reservedCIDRs: string[]) => ({
  reserved: new Set(reserved),
  kept: reservedAddresses([ipReservation.parse({ metadata: { name: "kept" }, spec: { reservedCIDRs } })]),
});
const assigned = (claimants: Claimant[], pools = [pool("192.0.2.0/30")], reserved: string[] = [], ...kept: string[]) =>
  Object.fromEntries(assignAddresses(claimants, pools, notGiven(reserved, ...kept)));

test("the older Service gets the lower address, and nodes' addresses are skipped", () => {
  expect(assigned([claimant("b"), claimant("a")], undefined, ["192.0.2.0"])).toEqual({
    a: { addresses: ["192.0.2.1"] },
    b: { addresses: ["192.0.2.2"] },
  });
});

test("an address in an IPReservation is given to who asks for it, or has it, and a large network of them is passed in one step", () => {
  const all = [
    claimant("a"),
    claimant("b", { request: asking("192.0.2.0") }),
    claimant("c", { held: ["192.0.2.1"] }),
    claimant("d"),
  ];
  const result = assigned(all, undefined, [], "192.0.2.0/31");
  expect(result.a).toEqual({ addresses: ["192.0.2.2"] });
  expect(result.b).toEqual({ addresses: ["192.0.2.0"] });
  expect(result.c).toEqual({ addresses: ["192.0.2.1"] });
  expect(result.d).toEqual({ addresses: ["192.0.2.3"] });
  const full = assigned([claimant("a")], [pool("2001:db8::/64")], [], "2001:db8::/65", "2001:db8:0:0:8000::/65").a;
  expect(full?.denial?.reason).toBe("every address of IPPool lb (2001:db8::/64) is in use or reserved");
});

test("what the status has is kept, also of a disabled pool and against an older Service", () => {
  const pools = [pool("192.0.2.0/30", "old", true), pool("198.51.100.0/30", "new")];
  expect(assigned([claimant("a"), claimant("b", { held: ["192.0.2.3"] })], pools)).toEqual({
    a: { addresses: ["198.51.100.0"] },
    b: { addresses: ["192.0.2.3"] },
  });
});

test("an address in no pool is given back", () => {
  expect(assigned([claimant("a", { held: ["203.0.113.9"] })])).toEqual({ a: { addresses: ["192.0.2.0"] } });
});

test("a request is refused with its path if no pool has the address, and if another Service has it", () => {
  const result = assigned([
    claimant("a", { request: asking("192.0.2.1") }),
    claimant("b", { request: asking("192.0.2.1") }),
    claimant("c", { request: asking("203.0.113.9") }),
  ]);
  expect(result.a).toEqual({ addresses: ["192.0.2.1"] });
  expect(result.b).toEqual({
    addresses: [],
    denial: {
      path: "spec.loadBalancerIP",
      reason: "192.0.2.1 belongs to Service a, which does not share it with this one",
    },
  });
  expect(result.c?.denial?.reason).toBe("203.0.113.9 is in no IPPool with allowedUses: [LoadBalancer]");
});

test("a request comes before a Service that takes any address, and moves a Service that has another one", () => {
  const result = assigned([claimant("a"), claimant("b", { request: asking("192.0.2.0"), held: ["192.0.2.2"] })]);
  expect(result).toEqual({ a: { addresses: ["192.0.2.1"] }, b: { addresses: ["192.0.2.0"] } });
});

test("who asks for what it cannot have keeps what it has, and nobody else gets that", () => {
  const typo = claimant("b", { request: asking("203.0.113.9"), held: ["192.0.2.0"] });
  expect(assigned([claimant("a"), typo])).toEqual({
    a: { addresses: ["192.0.2.1"] },
    b: { addresses: ["192.0.2.0"], denial: expect.objectContaining({ path: "spec.loadBalancerIP" }) },
  });
  const wants = claimant("a", { request: asking("192.0.2.0") });
  expect(assigned([wants, typo]).a?.denial?.reason).toBe(
    "192.0.2.0 belongs to Service b, which does not share it with this one",
  );
  const one = claimant("c", { request: asking("192.0.2.0", "203.0.113.9"), held: ["192.0.2.0", "192.0.2.2"] });
  expect(assigned([one]).c).toMatchObject({ addresses: ["192.0.2.0", "192.0.2.2"], denial: expect.anything() });
});

test("two Services exchange their addresses, and three in a ring", () => {
  const ring = (...names: string[]) =>
    names.map((name, at) =>
      claimant(name, { held: [`192.0.2.${at}`], request: asking(`192.0.2.${(at + 1) % names.length}`) }),
    );
  expect(assigned(ring("a", "b"))).toEqual({ a: { addresses: ["192.0.2.1"] }, b: { addresses: ["192.0.2.0"] } });
  expect(assigned(ring("a", "b", "c")).c).toEqual({ addresses: ["192.0.2.0"] });
});

test("what a fixed Service has is nobody else's, and it gets nothing else", () => {
  const fixed = (name: string, ...held: string[]) => claimant(name, { held, isFixed: true });
  const result = assigned([fixed("b", "192.0.2.0", "192.0.2.1"), fixed("c"), claimant("a")]);
  expect(result).toMatchObject({ a: { addresses: ["192.0.2.2"] }, c: { addresses: [] } });
});

test("Services of one key share an address while their ports differ and their traffic policy is Cluster", () => {
  const shared = { sharing: "default/web" };
  const result = assigned([
    claimant("a", shared),
    claimant("b", { ...shared, ports: ["443/TCP"] }),
    claimant("c", { ...shared, ports: ["80/UDP"] }),
    claimant("d", shared),
    claimant("e", { ...shared, ports: ["53/UDP"], local: true }),
  ]);
  expect(Object.values(result).map(({ addresses }) => addresses[0])).toEqual([
    ...["192.0.2.0", "192.0.2.0", "192.0.2.0"],
    ...["192.0.2.1", "192.0.2.2"],
  ]);
});

test("the same key in two namespaces is two keys", () => {
  const result = assigned([
    claimant("one/a", { sharing: "one/web" }),
    claimant("two/a", { sharing: "two/web", ports: ["443/TCP"], request: asking("192.0.2.0") }),
  ]);
  expect(result["two/a"]).toEqual({ addresses: ["192.0.2.0"] });
  expect(result["one/a"]).toEqual({ addresses: ["192.0.2.1"] });
});

test("a full pool is named", () => {
  const result = assigned(
    ["a", "b", "c"].map((name) => claimant(name)),
    [pool("192.0.2.0/31")],
  );
  expect(result.c).toEqual({
    addresses: [],
    denial: { path: "spec.type", reason: "every address of IPPool lb (192.0.2.0/31) is in use or reserved" },
  });
});

const ADDRESSES = ["192.0.2.0", "192.0.2.1", "192.0.2.2", "192.0.2.3", "203.0.113.9"];
const some = fc.uniqueArray(fc.constantFrom(...ADDRESSES), { maxLength: 2 });
const asked = fc.uniqueArray(fc.constantFrom(...ADDRESSES), { minLength: 1, maxLength: 2 });
const claimants = fc.uniqueArray(
  fc
    .record({
      name: fc.constantFrom(..."abcdefgh"),
      age: fc.constantFrom("1", "2", "3"),
      request: fc.option(
        asked.map((addresses) => asking(...addresses)),
        { nil: undefined },
      ),
      sharing: fc.constantFrom(undefined, "one/x", "two/x"),
      ports: fc.uniqueArray(fc.constantFrom("80/TCP", "443/TCP", "53/UDP"), { minLength: 1 }),
      local: fc.boolean(),
      held: some,
      isFixed: fc.boolean(),
    })
    .map((one) => (one.isFixed ? { ...one, request: undefined } : one)),
  { selector: ({ name }) => name, maxLength: 8 },
);
const holdersOf = (all: readonly Claimant[], result: ReadonlyMap<string, Assignment>) =>
  Map.groupBy(
    all.flatMap((item) => (result.get(item.name)?.addresses ?? []).map((address) => ({ item, address }))),
    ({ address }) => address,
  );

test("no address is given twice but by one key, to different ports and without Local", () => {
  fc.assert(
    fc.property(claimants, (all) => {
      const result = assignAddresses(all, [pool("192.0.2.0/30")], notGiven(["192.0.2.3"]));
      for (const [address, holders] of holdersOf(all, result)) {
        expect(address).toMatch(/^192\.0\.2\.[012]$/);
        if (holders.length < 2) continue;
        expect(new Set(holders.map(({ item }) => item.sharing)).size).toBe(1);
        expect(holders[0]?.item.sharing).toBeDefined();
        expect(holders.some(({ item }) => item.local)).toBe(false);
        const ports = holders.flatMap(({ item }) => item.ports);
        expect(new Set(ports).size).toBe(ports.length);
      }
    }),
  );
});

test("nobody loses an address of a pool but for another one, or to an older Service", () => {
  fc.assert(
    fc.property(claimants, (all) => {
      const pools = [pool("192.0.2.0/30")];
      const valid = assignAddresses(all, pools, notGiven());
      const now = all.map((item) => ({ ...item, held: valid.get(item.name)?.addresses ?? [] }));
      fc.pre(now.every(({ held }) => new Set(held).size === held.length));
      const changed = now.map((item, at) => ({ ...item, request: item.isFixed ? undefined : all.at(at - 1)?.request }));
      const result = assignAddresses(changed, pools, notGiven());
      for (const { name, held } of changed)
        if (held.length > 0) expect(result.get(name)?.addresses.length).toBeGreaterThan(0);
    }),
  );
});

test("what was assigned stays, whoever asks again and in whatever order", () => {
  fc.assert(
    fc.property(claimants, (all) => {
      const pools = [pool("192.0.2.0/30")];
      const first = assignAddresses(all, pools, notGiven());
      const again = all.map((item) => ({ ...item, held: first.get(item.name)?.addresses ?? [] }));
      const second = assignAddresses(again.toReversed(), pools, notGiven());
      for (const [name, { addresses }] of first)
        expect(second.get(name)?.addresses.toSorted()).toEqual(addresses.toSorted());
    }),
  );
});
