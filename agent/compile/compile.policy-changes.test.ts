// One policy more costs whom it can tell, and no other pod, policy or identity.
import { expect, test, vi } from "vitest";
import { globalNetworkPolicy } from "../../model/objects/calico-policy/policies.ts";
import { namespace, pod } from "../../model/objects/core.ts";
import { Judge } from "../../model/policy/judge.ts";
import { Compiler } from "./compile.ts";
import type { Contribution, DesiredState } from "./desired.ts";
import { type ClusterSnapshot, type LocalEndpoint, noObjects } from "./snapshot.ts";

const LOCAL = 20;
const address = (index: number) => `10.244.${index >> 8}.${index & 255}`;

function podOf(index: number, app = `app-${index % 50}`) {
  return pod.parse({
    metadata: { name: `p-${index}`, namespace: "shop", labels: { app } },
    spec: { nodeName: index < LOCAL ? "master" : "node", containers: [{}] },
    status: { phase: "Running", podIPs: [{ ip: address(index) }] },
  });
}

function policyOf(index: number, peer = `app-${(index + 7) % 50}`) {
  const ingress = [{ action: "Allow", source: { selector: `app == '${peer}'` } }];
  return globalNetworkPolicy.parse({
    metadata: { name: `g-${index}` },
    spec: { order: index, selector: `app == 'app-${index}'`, ingress },
  });
}

const endpoints = Array.from({ length: LOCAL }, (_, index): LocalEndpoint => {
  const place = { namespace: "shop", pod: `p-${index}`, address: address(index) };
  return { ...place, ifindex: 100 + index, mac: "02:00:00:00:00:01", hostMac: "02:00:00:00:00:02" };
});
const snapshot: ClusterSnapshot = {
  ...noObjects,
  facts: {
    ...{ nodeName: "master", address: "172.31.1.8", subnets: ["172.31.1.0/24"], localAddresses: [] },
    ...{ serviceSubnet: "10.96.0.0/12", uplinkIfindex: 2, tunnelIfindex: 3 },
  },
  endpoints,
  namespaces: [namespace.parse({ metadata: { name: "shop" } })],
  pods: Array.from({ length: 500 }, (_, index) => podOf(index)),
  globalNetworkPolicies: Array.from({ length: 10 }, (_, index) => policyOf(index)),
};

/** Owners of what is another object than before: only that is compared and written. */
function changed(before: DesiredState, after: DesiredState, map: "locations" | "policies"): string[] {
  const known = new Set<Contribution<unknown, unknown>>(before.maps[map]);
  return after.maps[map].filter((item) => !known.has(item)).map(({ owner }) => owner);
}

test("a policy with another peer gives identities to pods that it names, and is the only one that is judged", () => {
  const compiler = new Compiler();
  const before = compiler.compile(snapshot);
  const policies = snapshot.globalNetworkPolicies.with(3, policyOf(3, "app-40"));
  const after = compiler.compile({ ...snapshot, globalNetworkPolicies: policies });
  const named = snapshot.pods.filter(({ metadata }) => ["app-40", "app-10"].includes(metadata.labels?.app ?? ""));
  expect(named.length).toBe(20);
  expect(changed(before, after, "locations").sort()).toEqual(
    named.map(({ metadata }) => `Pod shop/${metadata.name}`).sort(),
  );
  expect(changed(before, after, "policies")).toEqual([expect.stringMatching(/^GlobalNetworkPolicy g-3 /)]);
  expect(new Compiler().compile({ ...snapshot, globalNetworkPolicies: policies }).maps.locations).toEqual(
    after.maps.locations,
  );
});

test("with a policy's other peer, and between both, only identities are judged that either version names", () => {
  const compiler = new Compiler();
  compiler.compile(snapshot);
  const judge = vi.spyOn(Judge.prototype, "judge");
  try {
    const policies = snapshot.globalNetworkPolicies.with(3, policyOf(3, "app-40"));
    compiler.compile({ ...snapshot, globalNetworkPolicies: policies });
    const judged = judge.mock.calls.map(([{ selectors }]) => [...selectors].join());
    expect(judged).toContainEqual(expect.stringContaining("app-40"));
    expect(judged.filter((selectors) => selectors !== "" && !/app-[14]0\b/.test(selectors))).toEqual([]);
  } finally {
    judge.mockRestore();
  }
});

test("a pod that no policy here can tell from others changes nothing but its own address", () => {
  const compiler = new Compiler();
  const before = compiler.compile(snapshot);
  const after = compiler.compile({ ...snapshot, pods: [...snapshot.pods, podOf(600, "app-7"), podOf(601, "nobody")] });
  expect(changed(before, after, "locations")).toEqual(["Pod shop/p-600", "Pod shop/p-601"]);
  expect(changed(before, after, "policies")).toEqual([]);
});
