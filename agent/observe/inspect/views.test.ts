import { describe, expect, test } from "vitest";
import {
  ConnectionFlag,
  Direction,
  POLICY_ANY_IDENTITY,
  POLICY_OWN_SIDE,
  POLICY_SOURCE_PORT,
  PolicyFlag,
  PolicyVerdict,
} from "../../kernel/layout.gen.ts";
import { memoryMaps } from "../../kernel/memory-map.ts";
import { asJson, asTable } from "./table.ts";
import { announcements, connections, endpoints, outcomes, policies, services } from "./views.ts";

describe("inspect", () => {
  test("services list their backends, or that there is none", () => {
    const maps = memoryMaps();
    const service = {
      backendCount: 1,
      localCount: 1,
      clusterFirst: 0,
      affinitySeconds: 0,
      flags: 0,
      sourceRanges: 0,
      tableSize: 0,
    };
    maps.backends.update([[5, { address: "10.244.1.2", node: "172.31.1.207", port: 80, protocol: 6, flags: 1 }]]);
    maps.slots.update([[{ backendList: 1, index: 0 }, 5]]);
    maps.frontends.update([
      [
        { address: "::4", port: 30604, protocol: 6 },
        { ...service, backendList: 1 },
      ],
      [
        { address: "10.96.0.9", port: 53, protocol: 17 },
        { ...service, backendList: 2, backendCount: 0, localCount: 0, sourceRanges: 9 },
      ],
    ]);
    maps.sourceRanges.update([[{ prefixLength: 136, set: 9, client: "10.0.0.0" }, 1]]);
    expect(asTable(services(maps))).toBe(
      [
        "FRONTEND            ID  BACKENDS        LOCAL  FLAGS  CLIENTS",
        "10.96.0.9:53/UDP    2   none: rejected  0             10.0.0.0/8",
        "any node:30604/TCP  1   10.244.1.2:80   1             all",
      ].join("\n"),
    );
  });

  test("a backend that has several places by its weight stands there once", () => {
    const maps = memoryMaps();
    const backend = (address: string) => ({ address, node: "::", port: 80, protocol: 6, flags: 0 });
    maps.backends.update([
      [5, backend("10.244.1.2")],
      [6, backend("10.244.1.3")],
    ]);
    maps.slots.update([5, 5, 5, 6].map((id, index) => [{ backendList: 1, index }, id]));
    const counts = { backendCount: 4, localCount: 3, clusterFirst: 0 };
    const rest = { affinitySeconds: 0, flags: 0, sourceRanges: 0, tableSize: 0 };
    maps.frontends.update([
      [
        { address: "10.96.0.9", port: 80, protocol: 6 },
        { backendList: 1, ...counts, ...rest },
      ],
    ]);
    expect(services(maps).rows[0]?.slice(2, 4)).toEqual(["10.244.1.2:80(x3) 10.244.1.3:80", 1]);
  });

  test("announcements say which the agent has stopped renewing", () => {
    const maps = memoryMaps();
    const of = (address: string, until: bigint) =>
      [
        { address, interface: 3 },
        { until, mac: "02:00:00:00:00:08" },
      ] as const;
    maps.announced.update([of("198.51.100.7", 2_000n), of("fd00:99::7", 1_000n)]);
    expect(asTable(announcements(maps, 1_500n))).toBe(
      [
        "ADDRESS       IFINDEX  MAC                NOTE",
        "198.51.100.7  3        02:00:00:00:00:08",
        "fd00:99::7    3        02:00:00:00:00:08  silent: the agent has not renewed it",
      ].join("\n"),
    );
    expect(announcements(memoryMaps(), 0n).empty).toBe("This node announces no load balancer's address.");
  });

  test("policies show the meaning of a shortened key", () => {
    const maps = memoryMaps();
    const key = { policy: 1, identity: 7, direction: Direction.INGRESS, protocol: 6, port: 80 };
    maps.policies.update([
      [
        { ...key, prefixLength: 96 },
        { verdict: PolicyVerdict.ALLOW, flags: PolicyFlag.LOGGED, rule: 4 },
      ],
      [
        { ...key, prefixLength: 93, identity: 8 },
        { verdict: PolicyVerdict.DENY, flags: 0, rule: 3 },
      ],
      [
        { ...key, prefixLength: 72, identity: POLICY_ANY_IDENTITY, protocol: 0, port: 0 },
        { verdict: PolicyVerdict.DENY, flags: 0, rule: 0 },
      ],
      [
        { ...key, prefixLength: 96, identity: 9 },
        { verdict: PolicyVerdict.BY_SOURCE_PORT, flags: 0, rule: 5 },
      ],
      [
        { ...key, prefixLength: 72, direction: POLICY_OWN_SIDE, protocol: 0, port: 0 },
        { verdict: PolicyVerdict.BY_OWN_SIDE, flags: 0, rule: 6 },
      ],
      [
        { ...key, prefixLength: 93, identity: 5, direction: POLICY_SOURCE_PORT },
        { verdict: PolicyVerdict.ALLOW, flags: 0, rule: 0 },
      ],
    ]);
    const names = {
      identities: new Map([[7, "pods app=web in namespace default"]]),
      policies: new Map([[1, "NetworkPolicy default/web"]]),
      rules: new Map([[3, "tier security, GlobalNetworkPolicy deny-web, ingress rule 2"]]),
      logs: new Map([[4, "tier security, GlobalNetworkPolicy audit, ingress rule 1"]]),
      defaults: new Map(),
    };
    const denied = "deny: tier security, GlobalNetworkPolicy deny-web, ingress rule 2";
    const endpoint = {
      ifindex: 4,
      policy: 1,
      flags: 1,
      revision: 3,
      mac: "02:00:00:00:00:01",
      hostMac: "02:00:00:00:00:02",
    };
    maps.endpoints.update([["10.244.1.2", endpoint]]);
    expect(endpoints(maps, names).rows[0]?.slice(0, 3)).toEqual(["10.244.1.2", 4, "NetworkPolicy default/web"]);
    maps.endpoints.update([["10.244.1.3", { ...endpoint, policy: 0 }]]);
    expect(endpoints(maps, names).rows[1]?.slice(0, 3)).toEqual(["10.244.1.3", 4, "none"]);
    expect(policies(maps, names).rows).toEqual([
      ["NetworkPolicy default/web", "10.244.1.2", "ingress", "8", "TCP 80-87", denied],
      ["NetworkPolicy default/web", "10.244.1.2", "ingress", "9", "TCP 80", "by source port: table 5"],
      ["NetworkPolicy default/web", "10.244.1.2", "ingress", "any", "any", "deny"],
      [
        "NetworkPolicy default/web",
        "10.244.1.2",
        "ingress",
        "own end: pods app=web in namespace default",
        "any",
        "by own end: policy 6",
      ],
      [
        "NetworkPolicy default/web",
        "10.244.1.2",
        "ingress",
        "pods app=web in namespace default",
        "TCP 80",
        "allow and log by tier security, GlobalNetworkPolicy audit, ingress rule 1",
      ],
      ["NetworkPolicy default/web", "10.244.1.2", "ingress", "table 5", "source port TCP 80-87", "allow"],
    ]);
  });

  const noMac = "00:00:00:00:00:00";

  test("connections are found by client and by the frontend the client used, in both directions", () => {
    const maps = memoryMaps();
    const forward = {
      source: "172.31.1.55",
      destination: "172.31.1.8",
      sourcePort: 40001,
      destinationPort: 30604,
      protocol: 6,
    };
    const reply = {
      source: "10.244.1.2",
      destination: "172.31.1.55",
      sourcePort: 80,
      destinationPort: 40001,
      protocol: 6,
    };
    const nextHop = { until: 0n, interface: 0, mtu: 0, kind: 0, destinationMac: noMac, sourceMac: noMac };
    const always = {
      lastSeen: 0n,
      packets: 3n,
      node: "::",
      peerPort: 40001,
      backend: 5,
      service: 0,
      policyRevision: 0,
      endsRevision: 0,
      place: 0,
      sequence: 0,
      next: 0,
    };
    const connection = { ...always, origin: { interface: 0, node: 0, mac: noMac }, nextHop };
    maps.connections.update([
      [forward, { ...connection, address: "10.244.1.2", port: 80, flags: ConnectionFlag.TRANSLATED }],
      [
        reply,
        { ...connection, address: "172.31.1.8", port: 30604, flags: ConnectionFlag.TRANSLATED | ConnectionFlag.REPLY },
      ],
    ]);
    const count = (filter: object) => connections(maps, filter, 5_000_000_000n).rows.length;
    expect(count({ client: "172.31.1.55" })).toBe(2);
    expect(count({ frontend: "172.31.1.8:30604" })).toBe(2);
    expect(count({ frontend: "172.31.1.9" })).toBe(0);
    expect(count({ client: "[::ffff:172.31.1.55]" })).toBe(2);
    expect(() => count({ client: "172.31.1" })).toThrow('--client is "172.31.1"; allowed: an address');
    expect(() => count({ frontend: "172.31.1.8:99999" })).toThrow('--frontend is "172.31.1.8:99999"');
    expect(asTable(connections(maps, { client: "10.9.9.9" }, 0n))).toBe("No connection matches.");
  });

  test("outcomes without packets are omitted; JSON has the columns as keys", () => {
    const totals = new Map([
      ["to_endpoint", { packets: 2n, bytes: 120n, early: 0n }],
      ["drop_fragment", { packets: 0n, bytes: 0n, early: 0n }],
    ]);
    expect(JSON.parse(asJson(outcomes(totals)))).toEqual([{ outcome: "to_endpoint", packets: 2, bytes: 120 }]);
    totals.set("forward_service", { packets: 3n, bytes: 300n, early: 1n });
    expect(outcomes(totals).columns).toEqual(["outcome", "packets", "bytes", "by XDP"]);
    expect(outcomes(totals).rows).toEqual([
      ["to_endpoint", 2, 120, 0],
      ["forward_service", 3, 300, 1],
    ]);
  });
});
