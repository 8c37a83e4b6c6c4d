import { describe, expect, test } from "vitest";
import { tier as tierSchema } from "../objects/calico-policy/tier.ts";
import { networkPolicy } from "../objects/networking.ts";
import type { CalicoPolicy } from "./calico-policy.ts";
import type { PolicyObjects } from "./policy-objects.ts";
import { PolicySelector } from "./selection.ts";
import { allow, deny, globalPolicy, said, type WrittenRule } from "./small-cluster.fixture.ts";

describe("tiers", () => {
  const tier = (name: string, order?: number, defaultAction?: string) =>
    tierSchema.parse({ metadata: { name }, spec: { order, defaultAction } });
  const at = (name: string, order: number | undefined, rules: WrittenRule[], inTier?: string) =>
    globalPolicy({ ...(order !== undefined && { order }), ...(inTier && { tier: inTier }), ingress: rules }, name);
  const isolated = networkPolicy.parse({
    metadata: { name: "isolated", namespace: "shop" },
    spec: { podSelector: {}, policyTypes: ["Ingress"] },
  });
  const of = (globalNetworkPolicies: CalicoPolicy[], more: Partial<PolicyObjects> = {}) => ({
    globalNetworkPolicies,
    ...more,
  });
  test.each<[string, Partial<PolicyObjects>, string]>([
    ["the lower order", of([at("a", 10, [deny()]), at("b", 9, [allow()])]), "allow"],
    ["the first name", of([at("a-b", 9, [deny()]), at("a", 9, [allow()])]), "allow"],
    ["no order is last", of([at("a", undefined, [deny()]), at("b", 2e9, [allow()])]), "allow"],
    ["before Kubernetes'", of([at("a", 999, [allow()])], { networkPolicies: [isolated] }), "allow"],
    ["after Kubernetes'", of([at("a", 2000, [allow()])], { networkPolicies: [isolated] }), "allow"],
    [
      "the end of the tier with both",
      of([at("a", 2000, [allow({ protocol: "UDP" })])], { networkPolicies: [isolated] }),
      "deny: no rule of NetworkPolicy shop/isolated, GlobalNetworkPolicy a allows it (end of tier default)",
    ],
    [
      "an earlier tier",
      of([at("a", 5, [deny()], "security"), at("b", 1, [allow()])], { tiers: [tier("security", 100)] }),
      "deny: tier security, GlobalNetworkPolicy a, ingress rule 1",
    ],
    ["Pass", of([at("a", 5, [{ action: "Pass" }], "security")], { tiers: [tier("security", 100)] }), "allow"],
    [
      "Pass to a closed tier",
      of([at("a", 5, [{ action: "Pass" }], "security")], {
        tiers: [tier("security", 100)],
        networkPolicies: [isolated],
      }),
      "deny: no rule of NetworkPolicy shop/isolated allows it (end of tier default)",
    ],
    [
      "the end of a tier",
      of([at("a", 5, [], "security")], { tiers: [tier("security", 100)] }),
      "deny: no rule of GlobalNetworkPolicy a allows it (end of tier security)",
    ],
    [
      "the end of a tier that passes",
      of([at("a", 5, [], "security")], { tiers: [tier("security", 100, "Pass")] }),
      "allow",
    ],
    ["a tier that is missing is last", of([at("a", 5, [deny()], "gone"), at("b", 1, [allow()])]), "allow"],
    [
      "Log goes on",
      of([at("a", 5, [{ action: "Log" }, deny()])]),
      "log by tier default, GlobalNetworkPolicy a, ingress rule 1 and deny: tier default, GlobalNetworkPolicy a, ingress rule 2",
    ],
  ])("%s", (_, objects, wanted) => expect(said(objects, "db -> web tcp/80")).toBe(wanted));

  test("a policy of a tier that is missing is reported", () => {
    const selection = new PolicySelector().select({
      networkPolicies: [],
      subjects: new Map(),
      globalNetworkPolicies: [at("a", 5, [], "gone")],
    });
    expect(selection.problems.map(({ kind, name, path }) => `${kind} ${name} ${path}`)).toEqual([
      "GlobalNetworkPolicy a spec.tier",
    ]);
  });
});
