import { describe, expect, test } from "vitest";
import { schemas } from "../schemas.ts";
import { refusals, specOf } from "./refusals.fixture.ts";

describe("policies", () => {
  test.each<[string, object, string[]]>([
    ["nothing", {}, ["Ingress"]],
    ["ingress rules", { ingress: [{ action: "Allow" }] }, ["Ingress"]],
    ["egress rules", { egress: [{ action: "Allow" }] }, ["Egress"]],
    ["both", { ingress: [{ action: "Allow" }], egress: [{ action: "Allow" }] }, ["Ingress", "Egress"]],
    ["said", { types: ["Egress"], ingress: [{ action: "Allow" }] }, ["Egress"]],
  ])("with %s count in their directions", (_, spec, types) => {
    expect(specOf("globalNetworkPolicies", spec).types).toEqual(types);
  });

  test("have Calico's defaults", () => {
    expect(specOf("globalNetworkPolicies", { selector: "" })).toEqual({
      tier: "default",
      order: undefined,
      selector: "all()",
      serviceAccountSelector: undefined,
      namespaceSelector: undefined,
      types: ["Ingress"],
      ingress: [],
      egress: [],
      doNotTrack: false,
      preDNAT: false,
      applyOnForward: false,
    });
  });

  test.each<[string, object, string[]]>([
    [
      "both of doNotTrack and preDNAT",
      { doNotTrack: true, preDNAT: true, applyOnForward: true },
      ["spec.preDNAT: cannot be true beside doNotTrack"],
    ],
    ["doNotTrack alone", { doNotTrack: true }, ["spec.applyOnForward: must be true beside doNotTrack"]],
    [
      "preDNAT of egress",
      { preDNAT: true, applyOnForward: true, types: ["Egress"], egress: [{ action: "Allow" }] },
      [
        "spec.egress: must be empty: preDNAT is about ingress",
        "spec.types: must not have Egress: preDNAT is about ingress",
      ],
    ],
    ["preDNAT of ingress", { preDNAT: true, applyOnForward: true, ingress: [{ action: "Deny" }] }, []],
    ["types twice", { types: ["Ingress", "Ingress"] }, ["spec.types.1: stands in the list already"]],
    ["no types", { types: [] }, ["spec.types: allowed are Ingress and Egress, or left out"]],
    ["an order that is no number", { order: "10" }, ["spec.order: Invalid input: expected number, received string"]],
    [
      "a tier that is no name",
      { tier: "Security" },
      ['spec.tier: "Security" is no name; allowed are lower case letters, digits, "-" and "."'],
    ],
    [
      "global() of endpoints",
      { selector: "global()", namespaceSelector: "global()" },
      [
        "spec.selector: global() is allowed only in namespaceSelector of a rule's source or destination",
        "spec.namespaceSelector: global() is allowed only in namespaceSelector of a rule's source or destination",
      ],
    ],
    ["an unknown field", { staged: true }, ['spec.staged: Unrecognized key: "staged"']],
    ["a hint", { performanceHints: ["AssumeNeededOnEveryNode"] }, []],
  ])("%s", (_, spec, refused) => {
    expect(refusals("globalNetworkPolicies", spec)).toEqual(refused);
  });

  test("of a namespace have no fields for hosts or namespaces", () => {
    expect(refusals("calicoNetworkPolicies", { doNotTrack: true })).toEqual([
      'spec.doNotTrack: Unrecognized key: "doNotTrack"',
    ]);
    expect(refusals("calicoNetworkPolicies", { namespaceSelector: "all()" })).toHaveLength(1);
  });

  test.each([
    ["calicoNetworkPolicies", "a.b", true],
    ["calicoNetworkPolicies", "a.b.c", false],
    ["calicoNetworkPolicies", "knp.default.a.b", true],
    ["globalNetworkPolicies", "a.b", true],
    ["globalNetworkPolicies", "A", false],
    ["tiers", "a.b", false],
    ["tiers", "a".repeat(64), false],
  ] as const)("%s: is %s a name? %s", (kind, name, fine) => {
    expect(refusals(kind, {}, { name }).length === 0).toBe(fine);
  });

  test("to be deleted say nothing but their tier", () => {
    expect(refusals("stagedNetworkPolicies", { stagedAction: "Delete", tier: "a", ingress: [] })).toEqual([]);
    expect(refusals("stagedNetworkPolicies", { stagedAction: "Delete", order: 1 })).toEqual([
      "spec.order: must be left out beside stagedAction Delete",
    ]);
    expect(refusals("stagedGlobalNetworkPolicies", { stagedAction: "Learn", doNotTrack: true })).toEqual([
      "spec.applyOnForward: must be true beside doNotTrack",
    ]);
    expect(refusals("stagedKubernetesNetworkPolicies", { stagedAction: "Delete", podSelector: {} })).toEqual([]);
    expect(
      refusals("stagedKubernetesNetworkPolicies", { stagedAction: "Delete", podSelector: { matchLabels: { a: "b" } } }),
    ).toHaveLength(1);
    expect(specOf("stagedNetworkPolicies", {}).stagedAction).toBe("Set");
  });
});

describe("tiers", () => {
  test("end in Deny unless they say otherwise", () => {
    expect(specOf("tiers", {})).toEqual({ order: undefined, defaultAction: "Deny" });
    expect(refusals("tiers", { defaultAction: "Allow" })).toEqual(["spec.defaultAction: allowed are Deny, Pass"]);
  });

  test("that always exist stay as they are", () => {
    expect(refusals("tiers", { order: 5 }, { name: "default" })).toEqual([
      "spec.order: is 1000000 for the tier default",
    ]);
    expect(refusals("tiers", { order: 1000, defaultAction: "Pass" }, { name: "kube-admin" })).toEqual([]);
  });
});

describe("host endpoints", () => {
  test.each<[string, object, string[]]>([
    ["all interfaces", { node: "n", interfaceName: "*" }, []],
    ["neither", { node: "n" }, ["spec: needs interfaceName or expectedIPs"]],
    [
      "an interface that cannot be",
      { node: "n", interfaceName: "a/b" },
      ['spec.interfaceName: allowed are "*" and the name of an interface'],
    ],
    ["no address", { node: "n", expectedIPs: ["10.0.0.0/8"] }, ['spec.expectedIPs.0: "10.0.0.0/8" is no address']],
    [
      "another profile",
      { node: "n", interfaceName: "*", profiles: ["a"] },
      ["spec.profiles.0: only projectcalico-default-allow: other profiles are not supported"],
    ],
    [
      "a port of ICMP",
      { node: "n", interfaceName: "*", ports: [{ name: "a", protocol: "ICMP", port: 1 }] },
      ["spec.ports.0.protocol: allowed are TCP, UDP and SCTP: other protocols have no ports"],
    ],
  ])("%s", (_, spec, refused) => {
    expect(refusals("hostEndpoints", spec)).toEqual(refused);
  });

  test("are read", () => {
    const spec = {
      node: "n",
      expectedIPs: ["fd00:0::1"],
      profiles: ["projectcalico-default-allow"],
      ports: [{ name: "a", protocol: "TCP", port: 1 }],
    };
    expect(specOf("hostEndpoints", spec)).toEqual({
      node: "n",
      interfaceName: undefined,
      expectedIPs: ["fd00::1"],
      otherwise: "allow",
      ports: [{ name: "a", protocol: 6, port: 1 }],
    });
  });
});

test("network sets are addresses and blocks", () => {
  expect(specOf("networkSets", { nets: ["10.1.2.3/8", "10.0.0.0/8"] })).toEqual({ nets: ["10.0.0.0/8"] });
  expect(specOf("networkSets", { nets: ["192.0.2.7", "10.1.2.3/8", "fd00::/64"] })).toEqual({
    nets: ["192.0.2.7/32", "10.0.0.0/8", "fd00::/64"],
  });
  expect(refusals("globalNetworkSets", { nets: ["example.com"] })).toHaveLength(1);
  expect(refusals("globalNetworkSets", {}, { name: "a", labels: { "projectcalico.org/namespace": "b" } })).toHaveLength(
    1,
  );
});

describe("KubeControllersConfiguration", () => {
  const hosts = (hostEndpoint: object) => ({ controllers: { node: { hostEndpoint } } });
  test("says which host endpoints exist by themselves", () => {
    const [kind, metadata] = ["kubeControllersConfigurations", { name: "default" }] as const;
    const read = (spec: object) => schemas[kind].parse({ metadata, spec }).spec;
    expect(read({})).toEqual({ autoCreate: false, createDefaultHostEndpoint: true, templates: [] });
    expect(
      read(
        hosts({
          autoCreate: "Enabled",
          createDefaultHostEndpoint: "Disabled",
          templates: [{ interfacePattern: "eth.*" }],
        }),
      ),
    ).toEqual({
      autoCreate: true,
      createDefaultHostEndpoint: false,
      templates: [
        { generateName: "", interfaceCIDRs: [], interfacePattern: "eth.*", labels: {}, nodeSelector: "all()" },
      ],
    });
    expect(refusals(kind, hosts({ templates: [{ interfacePattern: "(" }] }), metadata)).toEqual([
      'spec.controllers.node.hostEndpoint.templates.0.interfacePattern: "(" is no regular expression',
    ]);
    expect(refusals(kind, hosts({ templates: [{}] }), metadata)).toHaveLength(1);
    expect(refusals(kind, hosts({ autocreate: "Enabled" }), metadata)).toHaveLength(1);
  });
});
