import { describe, expect, test } from "vitest";
import { clusterNetworkPolicy } from "../objects/cluster-network-policy.ts";
import { networkPolicy } from "../objects/networking.ts";
import type { PolicyObjects } from "./policy-objects.ts";
import { allow, ingress, said } from "./small-cluster.fixture.ts";

const EVERYBODY = { namespaces: {} };
const written = (spec: object, name = "c") =>
  clusterNetworkPolicy.parse({
    metadata: { name },
    spec: { tier: "Admin", priority: 10, subject: EVERYBODY, ...spec },
  });
const rules = (side: "ingress" | "egress", ...all: object[]): Partial<PolicyObjects> => ({
  clusterNetworkPolicies: [written({ [side]: all })],
});
const from = (action: string, more: object = {}) => ({ action, from: [EVERYBODY], ...more });
const to = (action: string, ...peers: object[]) => ({ action, to: peers });
const isolated = networkPolicy.parse({
  metadata: { name: "isolated", namespace: "shop" },
  spec: { podSelector: {}, policyTypes: ["Ingress"] },
});
const baseline = (action: string) => written({ tier: "Baseline", ingress: [from(action)] }, "b");
const DENIED = "deny: tier Admin, ClusterNetworkPolicy c, ingress rule 1";
const REFUSED = "deny: tier Admin, ClusterNetworkPolicy c, egress rule 1";

describe("ClusterNetworkPolicy", () => {
  test.each<[string, Partial<PolicyObjects>, string, string]>([
    [
      "denies before everything",
      { ...rules("ingress", from("Deny")), ...ingress(allow()) },
      "db -> web tcp/80",
      DENIED,
    ],
    ["names its rule", rules("ingress", from("Deny", { name: "quiet" })), "db -> web tcp/80", `${DENIED} (quiet)`],
    [
      "accepts before Kubernetes'",
      { ...rules("ingress", from("Accept")), networkPolicies: [isolated] },
      "db -> web tcp/80",
      "allow",
    ],
    [
      "passes to Kubernetes'",
      { ...rules("ingress", from("Pass")), networkPolicies: [isolated] },
      "db -> web tcp/80",
      "deny: no rule of NetworkPolicy shop/isolated allows it (end of tier default)",
    ],
    ["does not isolate", rules("ingress", from("Accept")), "8.8.8.8 -> web tcp/80", "allow"],
    [
      "Baseline after everything",
      { clusterNetworkPolicies: [baseline("Deny")], ...ingress(allow()) },
      "db -> web tcp/80",
      "allow",
    ],
    [
      "Baseline where nothing decided",
      { clusterNetworkPolicies: [baseline("Deny")] },
      "db -> web tcp/80",
      "deny: tier Baseline, ClusterNetworkPolicy b, ingress rule 1",
    ],
    [
      "the lower priority",
      {
        clusterNetworkPolicies: [
          written({ ingress: [from("Deny")] }),
          written({ priority: 9, ingress: [from("Accept")] }, "z"),
        ],
      },
      "db -> web tcp/80",
      "allow",
    ],
    [
      "subjects by pods",
      {
        clusterNetworkPolicies: [
          written({
            subject: { pods: { namespaceSelector: {}, podSelector: { matchLabels: { app: "db" } } } },
            ingress: [from("Deny")],
          }),
        ],
      },
      "db -> web tcp/80",
      "allow",
    ],
    [
      "subjects by namespaces",
      {
        clusterNetworkPolicies: [
          written({
            subject: { namespaces: { matchLabels: { team: "b" } } },
            ingress: [from("Deny")],
          }),
        ],
      },
      "db -> web tcp/80",
      "allow",
    ],
    [
      "peers by namespaces",
      rules("ingress", { action: "Deny", from: [{ namespaces: { matchLabels: { team: "b" } } }] }),
      "job -> web tcp/80",
      DENIED,
    ],
    [
      "peers by pods",
      rules("ingress", {
        action: "Deny",
        from: [{ pods: { namespaceSelector: {}, podSelector: { matchLabels: { app: "db" } } } }],
      }),
      "db -> web tcp/80",
      DENIED,
    ],
    ["networks", rules("egress", to("Deny", { networks: ["8.0.0.0/8"] })), "8.8.8.8 <- web tcp/80", REFUSED],
    ["other networks", rules("egress", to("Deny", { networks: ["8.0.0.0/8"] })), "9.9.9.9 <- web tcp/80", "allow"],
    [
      "nodes",
      rules("egress", to("Deny", { nodes: { matchLabels: { role: "edge" } } })),
      "172.31.1.8 <- web tcp/80",
      REFUSED,
    ],
    [
      "other nodes",
      rules("egress", to("Deny", { nodes: { matchLabels: { role: "core" } } })),
      "172.31.1.8 <- web tcp/80",
      "allow",
    ],
    [
      "ports",
      rules("ingress", from("Deny", { protocols: [{ tcp: { destinationPort: { number: 80 } } }] })),
      "db -> web tcp/81",
      "allow",
    ],
    [
      "ranges",
      rules("ingress", from("Deny", { protocols: [{ tcp: { destinationPort: { range: { start: 80, end: 90 } } } }] })),
      "db -> web tcp/85",
      DENIED,
    ],
    [
      "named ports",
      rules("ingress", from("Deny", { protocols: [{ destinationNamedPort: "http" }] })),
      "db -> web tcp/8080",
      DENIED,
    ],
  ])("%s", (_, objects, packet, wanted) => expect(said(objects, packet)).toBe(wanted));
});
