import { describe, expect, test } from "vitest";
import { endpointSlice } from "../objects/discovery.ts";
import type { PolicyObjects } from "./policy-objects.ts";
import { ADDRESSES, allow, END, ingress, policy, said } from "./small-cluster.fixture.ts";

describe("services", () => {
  const slices = [
    endpointSlice.parse({
      metadata: { name: "db-1", namespace: "shop", labels: { "kubernetes.io/service-name": "db" } },
      addressType: "IPv4",
      endpoints: [{ addresses: [ADDRESSES.db] }, { addresses: ["30.0.0.1"] }],
      ports: [{ port: 5432, protocol: "TCP" }],
    }),
  ];
  const to = {
    endpointSlices: slices,
    calicoNetworkPolicies: [policy({ egress: [allow({ destination: { services: { name: "db" } } })] })],
  };
  const from = {
    endpointSlices: slices,
    ...ingress(allow({ source: { services: { name: "db", namespace: "shop" } } })),
  };
  test.each<[string, Partial<PolicyObjects>, string, string]>([
    ["destination", to, "db <- web tcp/5432", "allow"],
    ["an address outside", to, "30.0.0.1 <- web tcp/5432", "allow"],
    ["another port", to, "db <- web tcp/5433", END],
    ["another address", to, "30.0.0.2 <- web tcp/5432", END],
    ["source", from, "db -> web tcp/1", "allow"],
    ["another source", from, "job -> web tcp/1", END],
    ["a service without endpoints", { ...to, endpointSlices: [] }, "db <- web tcp/5432", END],
  ])("%s", (_, objects, packet, wanted) => expect(said(objects, packet)).toBe(wanted));
});
