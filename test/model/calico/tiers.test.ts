// Hand-written tables from Calico's documentation: tiers, order, actions, types.
import { expect, test } from "vitest";
import type { World } from "./objects.ts";
import { ALLOW, DENY, globalPolicy, PASS, policy, smallWorld, tier, verdictOf } from "./small-world.ts";

const toWeb = { selector: "app == 'web'" };
const KUBERNETES_DENY = {
  metadata: { name: "isolated", namespace: "shop" },
  spec: { podSelector: {}, policyTypes: ["Ingress"] },
};
const cases: [string, Partial<World>, "allow" | "deny"][] = [
  ["a pod without policies is open", {}, "allow"],
  ["a policy without rules isolates", { calicoNetworkPolicies: [policy("a", toWeb)] }, "deny"],
  ["a policy of another namespace does not apply", { calicoNetworkPolicies: [policy("a", {}, "lab")] }, "allow"],
  [
    "the lower order decides",
    {
      calicoNetworkPolicies: [
        policy("a", { order: 20, ingress: [DENY] }),
        policy("b", { order: 10, ingress: [ALLOW] }),
      ],
    },
    "allow",
  ],
  [
    "orders are numbers",
    {
      calicoNetworkPolicies: [policy("a", { order: 10, ingress: [DENY] }), policy("b", { order: 9, ingress: [ALLOW] })],
    },
    "allow",
  ],
  [
    "of the same order the first name decides",
    {
      calicoNetworkPolicies: [
        policy("b", { order: 10, ingress: [DENY] }),
        policy("a", { order: 10, ingress: [ALLOW] }),
      ],
    },
    "allow",
  ],
  [
    "a name is before those that it begins",
    {
      calicoNetworkPolicies: [
        policy("a-b", { order: 10, ingress: [DENY] }),
        policy("a", { order: 10, ingress: [ALLOW] }),
      ],
    },
    "allow",
  ],
  [
    "no order is last",
    {
      calicoNetworkPolicies: [policy("a", { ingress: [DENY] }), policy("b", { order: 5_000_000, ingress: [ALLOW] })],
    },
    "allow",
  ],
  [
    "without orders the first name decides",
    {
      globalNetworkPolicies: [globalPolicy("b", { ingress: [DENY] })],
      calicoNetworkPolicies: [policy("a", { ingress: [ALLOW] })],
    },
    "allow",
  ],
  [
    "the first rule that matches decides",
    { calicoNetworkPolicies: [policy("a", { ingress: [ALLOW, DENY] })] },
    "allow",
  ],
  ["Log goes on", { calicoNetworkPolicies: [policy("a", { ingress: [{ action: "Log" }, DENY, ALLOW] })] }, "deny"],
  [
    "a lower tier decides first",
    {
      tiers: [tier("security", 100)],
      globalNetworkPolicies: [globalPolicy("a", { tier: "security", ingress: [DENY] })],
      calicoNetworkPolicies: [policy("a", { order: 1, ingress: [ALLOW] })],
    },
    "deny",
  ],
  [
    "Allow ends all tiers",
    {
      tiers: [tier("security", 100)],
      globalNetworkPolicies: [globalPolicy("a", { tier: "security", ingress: [ALLOW] })],
      calicoNetworkPolicies: [policy("a", { order: 1, ingress: [DENY] })],
    },
    "allow",
  ],
  [
    "Pass goes to the next tier",
    {
      tiers: [tier("security", 100)],
      globalNetworkPolicies: [globalPolicy("a", { tier: "security", ingress: [PASS, ALLOW] })],
      calicoNetworkPolicies: [policy("a", { order: 1, ingress: [DENY] })],
    },
    "deny",
  ],
  [
    "Pass skips the other policies of its tier",
    {
      tiers: [tier("security", 100)],
      globalNetworkPolicies: [
        globalPolicy("a", { tier: "security", order: 1, ingress: [PASS] }),
        globalPolicy("b", { tier: "security", order: 2, ingress: [DENY] }),
      ],
    },
    "allow",
  ],
  [
    "a tier whose policies match nothing denies",
    {
      tiers: [tier("security", 100)],
      globalNetworkPolicies: [globalPolicy("a", { tier: "security", selector: "app == 'web'" })],
      calicoNetworkPolicies: [policy("a", { ingress: [ALLOW] })],
    },
    "deny",
  ],
  [
    "unless its default action is Pass",
    {
      tiers: [tier("security", 100, "Pass")],
      globalNetworkPolicies: [globalPolicy("a", { tier: "security", selector: "app == 'web'" })],
      calicoNetworkPolicies: [policy("a", { ingress: [ALLOW] })],
    },
    "allow",
  ],
  [
    "a tier without policies for the pod is skipped",
    {
      tiers: [tier("security", 100)],
      globalNetworkPolicies: [globalPolicy("a", { tier: "security", selector: "app == 'db'" })],
    },
    "allow",
  ],
  [
    "a tier whose policies are of the other direction is skipped",
    {
      tiers: [tier("security", 100)],
      globalNetworkPolicies: [globalPolicy("a", { tier: "security", types: ["Egress"] })],
    },
    "allow",
  ],
  [
    "what passes every tier is open",
    {
      tiers: [tier("security", 100)],
      globalNetworkPolicies: [globalPolicy("a", { tier: "security", ingress: [PASS] })],
    },
    "allow",
  ],
  ["Kubernetes policies are closed at the end of their tier", { networkPolicies: [KUBERNETES_DENY] }, "deny"],
  [
    "a Calico policy after Kubernetes' is asked",
    {
      networkPolicies: [KUBERNETES_DENY],
      calicoNetworkPolicies: [policy("a", { order: 2000, ingress: [ALLOW] })],
    },
    "allow",
  ],
  [
    "tiers of the same order by name",
    {
      tiers: [tier("b", 100), tier("a", 100)],
      globalNetworkPolicies: [
        globalPolicy("x", { tier: "b", ingress: [DENY] }),
        globalPolicy("y", { tier: "a", ingress: [ALLOW] }),
      ],
    },
    "allow",
  ],
  [
    "a tier without order comes after the default tier",
    {
      tiers: [tier("late")],
      globalNetworkPolicies: [globalPolicy("x", { tier: "late", ingress: [ALLOW] })],
      networkPolicies: [KUBERNETES_DENY],
    },
    "deny",
  ],
  [
    "Admin policies come first",
    {
      clusterNetworkPolicies: [
        {
          metadata: { name: "a" },
          spec: {
            tier: "Admin",
            priority: 10,
            subject: { namespaces: {} },
            ingress: [{ action: "Deny", from: [{ namespaces: {} }] }],
          },
        },
      ],
      calicoNetworkPolicies: [policy("a", { order: 0, ingress: [ALLOW] })],
    },
    "deny",
  ],
  [
    "Baseline policies come last",
    {
      clusterNetworkPolicies: [
        {
          metadata: { name: "a" },
          spec: {
            tier: "Baseline",
            priority: 10,
            subject: { namespaces: {} },
            ingress: [{ action: "Deny", from: [{ namespaces: {} }] }],
          },
        },
      ],
      calicoNetworkPolicies: [policy("a", { order: 0, ingress: [ALLOW] })],
    },
    "allow",
  ],
  [
    "policies of a tier that does not exist come after all tiers",
    {
      globalNetworkPolicies: [globalPolicy("x", { tier: "gone", ingress: [DENY] })],
    },
    "deny",
  ],
  [
    "preDNAT is not for pods",
    {
      globalNetworkPolicies: [globalPolicy("x", { preDNAT: true, applyOnForward: true, ingress: [DENY] })],
    },
    "allow",
  ],
];

test.each(cases)("%s", (_, parts, verdict) => {
  expect(verdictOf(smallWorld(parts), "db -> web tcp/8080")).toBe(verdict);
});

test.each<[string, Parameters<typeof policy>[1], string]>([
  ["neither", {}, "deny allow"],
  ["ingress rules", { ingress: [PASS] }, "allow allow"],
  ["egress rules", { egress: [DENY] }, "allow deny"],
  ["both", { ingress: [DENY], egress: [DENY] }, "deny deny"],
  ["both, but types say ingress", { types: ["Ingress"], ingress: [DENY], egress: [DENY] }, "deny allow"],
])("types of a policy with %s", (_, spec, verdicts) => {
  const world = smallWorld({ calicoNetworkPolicies: [policy("a", spec)] });
  expect(`${verdictOf(world, "other -> web tcp/1")} ${verdictOf(world, "web -> other tcp/1", "egress")}`).toBe(
    verdicts,
  );
});
