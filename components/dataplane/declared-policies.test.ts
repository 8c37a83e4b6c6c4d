import * as pulumi from "@pulumi/pulumi";
import { beforeAll, describe, expect, test } from "vitest";
import { apiVersionOf, kindNames, kinds } from "../../model/objects/kinds.ts";
import { schemas } from "../../model/objects/schemas.ts";
import { PolicyAction } from "../calico-policy/args.ts";
import { Enablement } from "../calico-policy/kube-controllers-args.ts";
import { StagedAction } from "../calico-policy/staged-args.ts";
import { ClusterPolicyAction, ClusterPolicyTier } from "../cluster-network-policy/args.ts";
import { PolicyType } from "../network-policy/args.ts";
import { recordResources, settled } from "../testing/program.ts";
import { refusalsOf } from "../testing/refusals.ts";
import { Dataplane } from "./component.ts";
import type { DeclaredPolicies } from "./declared-policies-args.ts";

const apiServer = { host: "172.31.1.8", port: 6443 };

const declared: DeclaredPolicies = {
  stagedNetworkPolicies: [
    { name: "db", namespace: "shop", selector: "app == 'db'", ingress: [{ action: PolicyAction.Deny }] },
    { name: "old", stagedAction: StagedAction.Delete },
  ],
  ipReservations: [{ name: "routers", reservedCIDRs: ["10.244.0.7", "fd00:10:244::/125"] }],
  stagedGlobalNetworkPolicies: [{ name: "everything", types: [PolicyType.Egress], stagedAction: StagedAction.Set }],
  stagedKubernetesNetworkPolicies: [
    { name: "web", podSelector: { matchLabels: { app: "web" } }, egress: [{ ports: [{ port: 443 }] }] },
    { name: "old", namespace: "shop", stagedAction: StagedAction.Delete },
  ],
  kubeControllersConfiguration: {
    controllers: {
      node: { hostEndpoint: { autoCreate: Enablement.Enabled, templates: [{ interfacePattern: "eth.*" }] } },
    },
  },
  clusterNetworkPolicies: [
    {
      name: "guard",
      tier: ClusterPolicyTier.Admin,
      priority: 10,
      subject: { pods: { podSelector: { matchLabels: { app: "db" } } } },
      ingress: [
        {
          action: ClusterPolicyAction.Pass,
          from: [{ namespaces: { matchLabels: { team: "shop" } } }],
          protocols: [{ tcp: { destinationPort: { range: { start: 5432, end: 5440 } } } }],
        },
      ],
      egress: [{ action: ClusterPolicyAction.Deny, to: [{ networks: ["192.0.2.0/24"] }, { nodes: {} }] }],
    },
  ],
};

test("objects whose namespaces and names read alike when they are joined are different, and equal ones are refused", async () => {
  const alike = [
    { namespace: "a", name: "b-c", podSelector: {} },
    { namespace: "a-b", name: "c", podSelector: {} },
  ];
  const resources = await recordResources();
  new Dataplane("dp", {
    apiServer,
    networkPolicies: alike,
    calicoNetworkPolicies: alike.map(({ namespace, name }) => ({ namespace, name })),
  });
  await settled();
  for (const kind of ["NetworkPolicy", "CalicoNetworkPolicy"]) {
    const made = resources.filter(({ type }) => type === `ebpf-dataplane:index:${kind}`);
    expect(made.map(({ name }) => name)).toEqual(["dp-a-b-c", "dp-a-b/c"]);
  }
  const twice = { calicoNetworkPolicies: [{ name: "x" }, { name: "x", namespace: "default" }] };
  expect(() => new Dataplane("dp", { apiServer, ...twice })).toThrow(
    'calicoNetworkPolicies[1].name is "default/x", but must be different from calicoNetworkPolicies[0].name',
  );
});

interface Made {
  kind: string;
  apiVersion: string;
  metadata: { name: string; namespace?: string };
}

test("staged policies, automatic host endpoints and policies of the cluster become objects that agents read", async () => {
  const resources = await recordResources();
  new Dataplane("dp", { apiServer, ...declared });
  await settled();
  const made = resources.flatMap(({ name, type, inputs: object }) => {
    const inputs = object as unknown as Made;
    const kind = kindNames.find(
      (one) => kinds[one].kind === inputs.kind && apiVersionOf(kinds[one]) === inputs.apiVersion,
    );
    return kind &&
      type.startsWith("kubernetes:") &&
      /Staged|KubeControllers|ClusterNetwork|IPReservation/.test(inputs.kind)
      ? [
          {
            name,
            object: `${inputs.metadata.namespace ?? ""}/${inputs.metadata.name}`,
            read: schemas[kind].safeParse(inputs),
          },
        ]
      : [];
  });
  expect(made.map(({ name, object }) => `${name} ${object}`).sort()).toEqual([
    "dp-default-old-stagednetworkpolicy default/old",
    "dp-default-web-stagedkubernetesnetworkpolicy default/web",
    "dp-everything-stagedglobalnetworkpolicy /everything",
    "dp-guard-clusternetworkpolicy /guard",
    "dp-kubecontrollers-kubecontrollersconfiguration /default",
    "dp-routers-ipreservation /routers",
    "dp-shop-db-stagednetworkpolicy shop/db",
    "dp-shop-old-stagedkubernetesnetworkpolicy shop/old",
  ]);
  expect(made.flatMap(({ read }) => read.error?.issues ?? [])).toEqual([]);
});

test("a staged NetworkPolicy of Kubernetes has the defaults of the enforced one", async () => {
  const resources = await recordResources();
  new Dataplane("dp", { apiServer, ...declared });
  await settled();
  const { inputs } = resources.find(({ name }) => name === "dp-default-web-stagedkubernetesnetworkpolicy") ?? {};
  expect(inputs?.spec).toEqual({
    podSelector: { matchLabels: { app: "web" } },
    policyTypes: ["Ingress", "Egress"],
    egress: [{ ports: [{ port: 443 }] }],
  });
});

describe("refused, with the path", () => {
  beforeAll(() => recordResources());
  const [guard = {}] = declared.clusterNetworkPolicies ?? [];
  const cluster = (more: object) => ({ clusterNetworkPolicies: [{ ...guard, ...more }] });
  const rule = (more: object) =>
    cluster({ ingress: [{ action: "Accept", from: [{ namespaces: {} }], ...more }], egress: [] });
  const endpoints = (hostEndpoint: object) => ({
    kubeControllersConfiguration: { controllers: { node: { hostEndpoint } } },
  });
  test.each<[string, object, string]>([
    [
      "a reservation of what is no network",
      { ipReservations: [{ name: "a", reservedCIDRs: ["10.244.0.0/16", "10.244.0.300"] }] },
      "ipReservations[0].reservedCIDRs[1]",
    ],
    [
      "a staged policy that is deleted and says more",
      { stagedNetworkPolicies: [{ name: "a", stagedAction: "Delete", selector: "all()" }] },
      'stagedNetworkPolicies[0].selector is "all()", but must be left out beside stagedAction Delete',
    ],
    [
      "a misspelt action",
      { stagedGlobalNetworkPolicies: [{ name: "a", stagedAction: "delete" }] },
      'stagedGlobalNetworkPolicies[0].stagedAction is "delete", but must be',
    ],
    [
      "a selector of a staged policy",
      { stagedGlobalNetworkPolicies: [{ name: "a", ingress: [{ action: "Deny", source: { selector: "has(" } }] }] },
      "stagedGlobalNetworkPolicies[0].ingress[0].source.selector: column 5",
    ],
    [
      "a port of a staged policy of Kubernetes",
      { stagedKubernetesNetworkPolicies: [{ name: "a", ingress: [{ ports: [{ port: 80, endPort: 70 }] }] }] },
      "stagedKubernetesNetworkPolicies[0].ingress[0].ports[0].port is 80, but must be a number of at most 70",
    ],
    [
      "two of one name",
      { stagedNetworkPolicies: [{ name: "a" }, { name: "a", namespace: "default" }] },
      "stagedNetworkPolicies[1].name",
    ],
    [
      "a template without addresses",
      endpoints({ templates: [{}] }),
      "templates[0]: needs interfaceCIDRs or interfacePattern",
    ],
    [
      "a template's selector",
      endpoints({ templates: [{ interfacePattern: "eth", nodeSelector: "a = 'b'" }] }),
      "kubeControllersConfiguration.controllers.node.hostEndpoint.templates[0].nodeSelector: column 3",
    ],
    [
      "a misspelt key of host endpoints",
      endpoints({ autoCreat: "Enabled" }),
      'hostEndpoint: unknown key "autoCreat"; did you mean "autoCreate"?',
    ],
    [
      "a subject of both kinds",
      cluster({ subject: { namespaces: {}, pods: { podSelector: {} } } }),
      "subject: needs exactly one of namespaces, pods",
    ],
    ["a subject of none", cluster({ subject: {} }), "subject: needs exactly one of"],
    ["a priority", cluster({ priority: 1001 }), "clusterNetworkPolicies[0].priority:"],
    [
      "a tier",
      cluster({ tier: "admin" }),
      'tier is "admin", but must be "Admin" or "Baseline" (did you mean "Admin"?)',
    ],
    ["Allow", rule({ action: "Allow" }), 'ingress[0].action is "Allow", but must be "Accept", "Deny" or "Pass"'],
    [
      "a rule's words of Kubernetes",
      rule({ ports: [] }),
      'ingress[0]: unknown key "ports"; ports stand in "protocols"',
    ],
    [
      "a misspelt selector",
      rule({ from: [{ namespaces: { matchLables: {} } }] }),
      'from[0].namespaces: unknown key "matchLables"; did you mean "matchLabels"?',
    ],
    ["no sources", rule({ from: [] }), "ingress[0].from is [], but must be a list of at least one item"],
    [
      "a port",
      rule({ protocols: [{ tcp: { destinationPort: { number: 0 } } }] }),
      "protocols[0].tcp.destinationPort.number is 0, but must be at least 1",
    ],
    [
      "names of domains",
      cluster({ egress: [{ action: "Deny", to: [{ domainNames: ["a"] }] }] }),
      "the addresses of names",
    ],
    [
      "a status",
      { tiers: [{ name: "a", status: {} }] },
      'tiers[0]: unknown key "status"; the cluster writes it, not a program',
    ],
  ])("%s", (_, args, message) => {
    expect(() => new Dataplane("dp", { apiServer, ...args } as never)).toThrow(
      expect.objectContaining({ message: expect.stringContaining(message) }),
    );
    expect(() => new Dataplane("dp", { apiServer, ...args } as never)).toThrow(pulumi.RunError);
  });

  test("what is known later as soon as it is", async () => {
    const said = await refusalsOf(
      () => new Dataplane("dp", { apiServer, ...cluster({ priority: pulumi.output(-1) }) } as never),
    );
    expect(said).toContain("clusterNetworkPolicies[0].priority:");
  });
});
