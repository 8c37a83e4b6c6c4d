import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, describe, expect, test } from "vitest";
import type { BgpPlan } from "../../model/bgp/plan.ts";
import { judged, type World } from "../../model/bgp/worlds.fixture.ts";
import { bgpFilter } from "../../model/objects/bgp/filter.ts";
import { bgpPeer } from "../../model/objects/bgp/peer.ts";
import { birdConfiguration, sessionName } from "./configuration.ts";

const NEVER = { vxlanMode: "Never" };
const stories: Record<string, World> = {
  mesh: { configuration: {}, pool: NEVER },
  router: {
    pool: { vxlanMode: "CrossSubnet" },
    configuration: {
      ...{
        nodeToNodeMeshEnabled: false,
        asNumber: "1.10",
        listenPort: 1179,
        serviceClusterIPs: [{ cidr: "10.96.0.0/12" }],
      },
      communities: [{ name: "pods", value: "64512:7" }],
      prefixAdvertisements: [{ cidr: "10.1.0.0/16", communities: ["pods", "1:2:3"] }],
    },
    peers: {
      tor: {
        peerIP: "192.0.2.254",
        asNumber: 64500,
        filters: ["safe"],
        maxRestartTime: "5m",
        numAllowedLocalASNumbers: 1,
        failureDetectionMode: "BFDIfDirectlyConnected",
      },
      distant: {
        peerIP: "[2001:db8:9::1]:1790",
        asNumber: 64501,
        ttlSecurity: 3,
        sourceAddress: "None",
        nextHopMode: "Self",
      },
    },
    filters: {
      safe: {
        importV4: [
          { action: "Reject", cidr: "0.0.0.0/0", matchOperator: "Equal" },
          { action: "Accept", cidr: "203.0.113.0/24", matchOperator: "In", prefixLength: { min: 25, max: 28 } },
          { action: "Reject", peerType: "iBGP" },
          { action: "Reject" },
        ],
        exportV4: [{ action: "Accept", cidr: "10.0.0.0/8", matchOperator: "NotIn", source: "RemotePeers" }],
      },
    },
  },
  reflector: {
    pool: NEVER,
    configuration: { nodeToNodeMeshEnabled: false },
    annotations: { one: { "projectcalico.org/RouteReflectorClusterID": "244.0.0.1" } },
    peers: { all: { peerSelector: "rack == 'one'" } },
  },
};

function planOf(world: World): BgpPlan {
  const { plan } = judged(world);
  if (!plan) throw new Error("no plan");
  return plan;
}

test.each(Object.keys(stories))("%s", async (name) => {
  const text = birdConfiguration(planOf(stories[name] as World), new Map());
  await expect(text).toMatchFileSnapshot(`golden/${name}.conf`);
});

test.each([
  ["of printable characters", "p;}#'\\ x", 1],
  ["that ends its quotes", 'a"; }', 0],
  ["of two lines", "a\nb", 0],
  ["that is empty", "", 0],
])("a password %s", (_, password, sessions) => {
  const secretKeyRef = { name: "bgp", key: "k" };
  const peers = { tor: { peerIP: "192.0.2.254", asNumber: 64500, password: { secretKeyRef } } };
  const plan = planOf({ configuration: { nodeToNodeMeshEnabled: false }, peers });
  const text = birdConfiguration(plan, new Map([["peer_192_0_2_254", password]]));
  expect(text.match(/protocol bgp/g) ?? []).toHaveLength(sessions);
});

describe("BIRD reads it", () => {
  const folder = mkdtempSync(join(tmpdir(), "bird-"));
  afterAll(() => rmSync(folder, { recursive: true }));
  const file = join(folder, "bird.conf");
  const faultOf = (text: string) => {
    writeFileSync(file, text);
    const { status, stderr, error } = spawnSync("bird", ["-p", "-c", file], { encoding: "utf8" });
    return error ? error.message : status === 0 ? undefined : stderr;
  };

  test.each(Object.keys(stories))("%s", (name) => {
    expect(faultOf(birdConfiguration(planOf(stories[name] as World), new Map()))).toBeUndefined();
    expect(faultOf("protocol bgp {")).toContain("syntax error");
  });

  test("whatever objects say", () => {
    fc.assert(
      fc.property(worlds, (world) => {
        const plan = planOf(world);
        const passwords = new Map(plan.sessions.map((session) => [sessionName(session), "p;}#'\\ x"]));
        expect(faultOf(birdConfiguration(plan, passwords))).toBeUndefined();
      }),
      { numRuns: 60 },
    );
  });
});

// Values that the schemas take, the strangest among them.
const number = fc.oneof(fc.integer({ min: 1, max: 4_294_967_295 }), fc.constantFrom("1.0", "65535.65535", "64512"));
const cidr = {
  IPv4: fc.constantFrom("0.0.0.0/0", "10.1.0.0/16", "10.1.2.3/32", "255.255.255.255/32"),
  IPv6: fc.constantFrom("::/0", "fd00:1::/64", "2001:db8::1/128", "::ffff:0:0/96"),
};
const optional = <T extends object>(record: { [K in keyof T]: fc.Arbitrary<T[K]> }) =>
  fc.record(record, { requiredKeys: [] });
const rules = (family: "IPv4" | "IPv6") =>
  fc.array(
    fc
      .tuple(
        fc.constantFrom("Accept", "Reject"),
        fc.option(
          fc.record({ cidr: cidr[family], matchOperator: fc.constantFrom("Equal", "NotEqual", "In", "NotIn") }),
        ),
        optional({ source: fc.constant("RemotePeers"), peerType: fc.constantFrom("eBGP", "iBGP") }),
        optional({ min: fc.integer({ min: 0, max: 32 }), max: fc.integer({ min: 0, max: 32 }) }),
      )
      .map(([action, network, more, prefixLength]) => ({
        ...{ action, ...network, ...more },
        ...(network?.matchOperator.endsWith("In") && { prefixLength }),
      })),
    { maxLength: 4 },
  );
const filter = optional({
  importV4: rules("IPv4"),
  exportV4: rules("IPv4"),
  importV6: rules("IPv6"),
  exportV6: rules("IPv6"),
});
const peer = fc
  .tuple(
    fc.oneof(
      fc.record({
        peerIP: fc.oneof(
          fc.ipV4(),
          fc.ipV6(),
          fc.constantFrom("192.0.2.2", "192.0.2.1", "[2001:db8:2::3]:1", "192.0.2.254:65535"),
        ),
        asNumber: number,
      }),
      fc.record({ peerSelector: fc.constantFrom("all()", "rack == 'far'", "has(rack)") }),
    ),
    optional({
      node: fc.constantFrom("one", "two"),
      nextHopMode: fc.constantFrom("Auto", "Self", "Keep"),
      sourceAddress: fc.constantFrom("UseNodeIP", "None"),
      maxRestartTime: fc.constantFrom("1s", "1h"),
      numAllowedLocalASNumbers: fc.integer({ min: 0, max: 255 }),
      localASNumber: number,
      ttlSecurity: fc.integer({ min: 1, max: 254 }),
      failureDetectionMode: fc.constantFrom("None", "BFDIfDirectlyConnected"),
      filters: fc.subarray(["a", "b", "none"]),
      password: fc.constant({ secretKeyRef: { name: "bgp", key: "k" } }),
    }),
  )
  .map(([who, more]) => ({ ...who, ...more }))
  .filter((spec) => bgpPeer.safeParse({ metadata: { name: "p" }, spec }).success);
const networks = fc.array(fc.record({ cidr: fc.oneof(cidr.IPv4, cidr.IPv6) }), { maxLength: 3 });
const worlds: fc.Arbitrary<World> = fc.record({
  configuration: optional({
    ...{ nodeToNodeMeshEnabled: fc.boolean(), asNumber: number, listenPort: fc.integer({ min: 1, max: 65_535 }) },
    ...{ serviceClusterIPs: networks, serviceExternalIPs: networks, serviceLoadBalancerIPs: networks },
    prefixAdvertisements: fc.array(
      fc.record({
        cidr: fc.oneof(cidr.IPv4, cidr.IPv6),
        communities: fc.subarray(["0:0", "65535:65535", "4294967295:0:1"]),
      }),
      { maxLength: 3 },
    ),
  }),
  peers: fc.dictionary(fc.constantFrom("x", "y", "z"), peer),
  filters: fc
    .record({ a: filter, b: filter })
    .filter(({ a, b }) => [a, b].every((spec) => bgpFilter.safeParse({ metadata: { name: "f" }, spec }).success)),
  annotations: optional({
    one: optional({
      "projectcalico.org/RouteReflectorClusterID": fc.constantFrom("1.2.3.4", "255.255.255.255", "1.2.3.4; }"),
      "projectcalico.org/ASNumber": fc.constantFrom("65000", "1.1", "x; }"),
    }),
  }) as fc.Arbitrary<NonNullable<World["annotations"]>>,
  pool: fc.constantFrom(NEVER, { vxlanMode: "CrossSubnet" }, { vxlanMode: "Always", disableBGPExport: true }),
});
