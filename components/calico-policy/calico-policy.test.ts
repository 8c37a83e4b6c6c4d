import * as pulumi from "@pulumi/pulumi";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { KindName } from "../../model/objects/kinds.ts";
import { notFollowedYet } from "../../model/objects/unsupported.ts";
import { Dataplane } from "../dataplane/component.ts";
import { PolicyType } from "../network-policy/args.ts";
import { recordResources, settled } from "../testing/program.ts";
import { refusalsOf } from "../testing/refusals.ts";
import { type GlobalNetworkPolicySpec, PolicyAction, type PolicyRule, TierDefaultAction } from "./args.ts";
import { CalicoNetworkPolicy } from "./calico-network-policy.ts";
import { GlobalNetworkPolicy } from "./global-network-policy.ts";

// What the inputs say does not depend on which kinds are followed today.
const before = [...notFollowedYet];
beforeAll(() => (notFollowedYet as Set<KindName>).clear());
afterAll(() => {
  for (const name of before) (notFollowedYet as Set<KindName>).add(name);
});

function refusal(make: () => unknown): string {
  try {
    make();
  } catch (error) {
    if (error instanceof pulumi.RunError) return error.message;
    throw error;
  }
  return "accepted";
}
const policy = (more: Partial<GlobalNetworkPolicySpec>) => new GlobalNetworkPolicy("p", { name: "a", ...more });
const rule = (fields: Partial<PolicyRule>) => policy({ ingress: [{ action: PolicyAction.Allow, ...fields }] });

test("a program declares what a manifest says, in the same words", async () => {
  const resources = await recordResources();
  const spec = {
    tier: "security",
    order: 10,
    selector: "app == 'db'",
    types: [PolicyType.Ingress, PolicyType.Egress],
    ingress: [
      {
        action: PolicyAction.Allow,
        protocol: "TCP",
        source: { selector: "color == 'blue'", namespaceSelector: "all()" },
        destination: { ports: [6379, "8000:8100", "redis"] },
      },
      { action: PolicyAction.Deny, protocol: 1, icmp: { type: 8, code: 0 }, source: { notNets: ["10.0.0.0/8"] } },
    ],
    egress: [{ action: PolicyAction.Pass, destination: { services: { name: "dns", namespace: "kube-system" } } }],
  };
  policy(spec);
  new CalicoNetworkPolicy("n", { name: "b", ingress: [] });
  await settled();
  const objects = resources.filter(({ type }) => type.startsWith("kubernetes:")).map(({ inputs }) => inputs);
  expect(objects.sort((a, b) => `${a.kind}`.localeCompare(`${b.kind}`))).toEqual([
    { apiVersion: "projectcalico.org/v3", kind: "GlobalNetworkPolicy", metadata: { name: "a" }, spec },
    {
      apiVersion: "projectcalico.org/v3",
      kind: "NetworkPolicy",
      metadata: { name: "b", namespace: "default" },
      spec: { ingress: [] },
    },
  ]);
});

describe("refused, with the path", () => {
  beforeAll(() => recordResources());
  test.each<[string, () => unknown, string]>([
    [
      "a selector",
      () => policy({ selector: "app = 'db'" }),
      "selector: column 5: expected an operator after a label: ==, !=, contains, starts with, ends with, not in, in; did you mean ==?",
    ],
    [
      "a selector of a rule",
      () => rule({ source: { notSelector: "a == b" } }),
      'ingress[0].source.notSelector: column 6: expected a value in quotes: "b"',
    ],
    [
      "fields that exclude each other",
      () => rule({ destination: { ports: [80] } }),
      "ingress[0].destination.ports: needs protocol TCP, UDP or SCTP: other protocols have no ports",
    ],
    [
      "preDNAT without applyOnForward",
      () => policy({ preDNAT: true }),
      "applyOnForward is undefined, but must be true beside preDNAT",
    ],
    ["a name", () => new GlobalNetworkPolicy("p", { name: "A" }), '"A" is no name'],
    [
      "an unknown key",
      () => rule({ source: { selectr: "a" } as object }),
      'unknown key "selectr"; did you mean "selector"?',
    ],
    ["an action", () => rule({ action: "allow" as PolicyAction }), 'ingress[0].action is "allow"'],
    [
      "what got lost",
      () => rule({ source: { selector: undefined } as object }),
      "ingress[0].source.selector is undefined, but must be given, or not be written at all",
    ],
    [
      "an empty list",
      () => rule({ source: { nets: [] } }),
      "ingress[0].source.nets is [], but must be a list of at least one item, or left out",
    ],
    [
      "rules that mean nothing",
      () => policy({ types: [PolicyType.Ingress], egress: [{ action: PolicyAction.Allow }] }),
      'types is ["Ingress"], but must be with "Egress" too',
    ],
    [
      "a manifest's words",
      () => new GlobalNetworkPolicy("p", { name: "a", spec: {} } as never),
      "its fields stand here, beside the name",
    ],
  ])("%s", (_, make, message) => {
    expect(refusal(make)).toContain(message);
  });

  test("in a Dataplane by the place there", () => {
    const apiServer = { host: "172.31.1.8", port: 6443 };
    const dataplane = (more: object) => () => new Dataplane("dp", { apiServer, ...more });
    expect(refusal(dataplane({ tiers: [{ name: "a.b" }] }))).toContain(
      'Dataplane "dp": tiers[0].name: "a.b" is no name',
    );
    expect(refusal(dataplane({ tiers: [{ name: "a" }, { name: "a" }] }))).toContain("tiers[1].name");
    expect(refusal(dataplane({ hostEndpoints: [{ name: "a", node: "n" }] }))).toContain(
      "hostEndpoints[0]: needs interfaceName or expectedIPs",
    );
    expect(refusal(dataplane({ networkSets: [{ name: "a", nets: ["x"] }] }))).toContain(
      'networkSets[0].nets[0]: "x" is neither an address nor a CIDR',
    );
    expect(refusal(dataplane({ globalNetworkSets: [{ name: "a", labels: { "a b": "c" } }] }))).toContain(
      "globalNetworkSets[0].labels",
    );
    expect(refusal(dataplane({ calicoNetworkPolicies: [{ name: "a", selector: "(" }] }))).toContain(
      "calicoNetworkPolicies[0].selector: column 2",
    );
  });

  test("as soon as it is known", async () => {
    const said = await refusalsOf(() => policy({ selector: pulumi.output("a ==") }));
    expect(said).toContain('GlobalNetworkPolicy "p": selector: column 5: expected a value in quotes');
  });
});

test("a Dataplane declares tiers and sets, and its agents come after them", async () => {
  const resources = await recordResources();
  new Dataplane("dp", {
    apiServer: { host: "172.31.1.8", port: 6443 },
    tiers: [{ name: "security", order: 5, defaultAction: TierDefaultAction.Pass }],
    networkSets: [{ name: "partners", labels: { role: "partner" }, nets: ["192.0.2.0/24"] }],
    hostEndpoints: [{ name: "node", node: "node", interfaceName: "*" }],
    globalNetworkPolicies: [{ name: "deny", ingress: [{ action: PolicyAction.Deny }] }],
  });
  await settled();
  const calico = resources.filter(({ inputs }) => inputs.apiVersion === "projectcalico.org/v3").map(({ name }) => name);
  expect(calico).toEqual(
    expect.arrayContaining([
      "dp-security-tier",
      "dp-default-partners-networkset",
      "dp-node-hostendpoint",
      "dp-deny-globalnetworkpolicy",
    ]),
  );
});

test("a Dataplane makes the definition of ClusterNetworkPolicy unless the cluster has it", async () => {
  for (const [said, made] of [
    [undefined, 1],
    [true, 1],
    [false, 0],
  ] as const) {
    const resources = await recordResources();
    const more = said !== undefined && { clusterNetworkPolicyDefinition: said };
    new Dataplane("dp", { apiServer: { host: "172.31.1.8", port: 6443 }, ...more });
    await settled();
    const found = resources.filter(({ name }) => name === "dp-crd-clusternetworkpolicies");
    expect([said, found.length]).toEqual([said, made]);
  }
});

test("kinds that nothing follows yet are refused", async () => {
  await recordResources();
  (notFollowedYet as Set<KindName>).add("tiers");
  const make = () => new Dataplane("dp", { apiServer: { host: "172.31.1.8", port: 6443 }, tiers: [{ name: "a" }] });
  expect(refusal(make)).toBe('Dataplane "dp": tiers[0]: a Tier is not supported yet.');
  (notFollowedYet as Set<KindName>).delete("tiers");
});
