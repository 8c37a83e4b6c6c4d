import { expect, test } from "vitest";
import { kindNames } from "../../../model/objects/kinds.ts";
import { SnapshotStore } from "../../watch/snapshot-store.ts";
import { stagingBy } from "./staging.ts";

function storeWith(staged: object): SnapshotStore {
  const store = new SnapshotStore(() => {});
  for (const kind of kindNames) store.replace(kind, []);
  const metadata = { name: "next", namespace: "shop" };
  store.put("stagedNetworkPolicies", { metadata, spec: { selector: "all()", types: ["Egress"], ...staged } });
  return store;
}

const slice = (address: string) => ({
  metadata: { name: "db-1", namespace: "shop", labels: { "kubernetes.io/service-name": "db" } },
  ...{ addressType: "IPv4", ports: [{ port: 5432 }], endpoints: [{ addresses: [address] }] },
});

test("new endpoints count where a staged policy names their Service, and cost nothing elsewhere", () => {
  const toDb = storeWith({ egress: [{ action: "Allow", destination: { services: { name: "db" } } }] });
  const anywhere = storeWith({ egress: [{ action: "Allow" }] });
  for (const [store, counts] of [
    [toDb, true],
    [anywhere, false],
  ] as const) {
    const staging = stagingBy(store, () => undefined);
    const before = staging();
    expect(before?.staged.calicoNetworkPolicies).toHaveLength(1);
    expect(staging()).toBe(before);
    store.put("services", { metadata: { name: "web", namespace: "shop" }, spec: { ports: [{ port: 80 }] } });
    expect(staging()).toBe(before);
    store.put("endpointSlices", slice("10.244.0.7"));
    expect(staging() === before).toBe(!counts);
    expect(staging()?.staged.endpointSlices).toHaveLength(counts ? 1 : 0);
    expect(staging()).toBe(staging());
  }
});

test("without a staged policy there is nothing to judge", () => {
  const store = storeWith({});
  store.replace("stagedNetworkPolicies", []);
  expect(stagingBy(store, () => undefined)()).toBeUndefined();
});
