// Every field of Calico's kinds for policies (projectcalico.org/v3, the types of 3.32) is kept, changes nothing by its meaning, or is refused with its path.
import { expect, test } from "vitest";
import { schemas } from "../schemas.ts";
import { type Name, refusals } from "./refusals.fixture.ts";

type Treatment = "kept" | "without effect" | "refused";

const SIDE: [string, unknown][] = [
  ["nets", ["192.0.2.0/24"]],
  ["notNets", ["192.0.2.0/24"]],
  ["selector", "has(b)"],
  ["notSelector", "has(b)"],
  ["namespaceSelector", "has(b)"],
  ["ports", [80]],
  ["notPorts", [80]],
  ["serviceAccounts.names", ["b"]],
  ["serviceAccounts.selector", "has(b)"],
];
const TCP: [string, unknown][] = [
  ["ipVersion", 4],
  ["notProtocol", "UDP"],
  ...["source", "destination"].flatMap((side) =>
    SIDE.map(([path, value]): [string, unknown] => [`${side}.${path}`, value]),
  ),
];
const ICMP: [string, unknown][] = ["icmp", "notICMP"].flatMap((field): [string, unknown][] => [
  [`${field}.type`, 8],
  [`${field}.code`, 1],
]);

interface Kind {
  readonly names: readonly Name[];
  /** Beside which each field is legal. */
  readonly base?: object;
  readonly metadata?: object;
  readonly fields: readonly [path: string, value: unknown, treatment?: Treatment][];
}

const POLICIES: readonly Name[] = [
  ...([
    "calicoNetworkPolicies",
    "globalNetworkPolicies",
    "stagedNetworkPolicies",
    "stagedGlobalNetworkPolicies",
  ] as const),
];
const GLOBAL: readonly Name[] = ["globalNetworkPolicies", "stagedGlobalNetworkPolicies"];
const inRules = (direction: string, fields: readonly [string, unknown, Treatment?][]) =>
  fields.map(([path, ...rest]): [string, unknown, Treatment?] => [`${direction}.0.${path}`, ...rest]);

const KINDS: readonly Kind[] = [
  {
    names: POLICIES,
    fields: [
      ["tier", "a"],
      ["order", 1.5],
      ["selector", "has(a)"],
      ["serviceAccountSelector", "has(a)"],
      ["types", ["Ingress", "Egress"]],
      ["ingress", [{ action: "Deny" }]],
      ["egress", [{ action: "Log" }]],
      ["performanceHints", ["AssumeNeededOnEveryNode"], "without effect"],
    ],
  },
  {
    names: GLOBAL,
    base: { applyOnForward: true },
    fields: [
      ["namespaceSelector", "has(a)"],
      ["doNotTrack", true],
      ["preDNAT", true],
      ["applyOnForward", false],
    ],
  },
  {
    names: ["stagedNetworkPolicies", "stagedGlobalNetworkPolicies", "stagedKubernetesNetworkPolicies"],
    fields: [["stagedAction", "Ignore"]],
  },
  ...["ingress", "egress"].flatMap((direction): Kind[] => [
    {
      names: POLICIES,
      base: { [direction]: [{ action: "Allow", protocol: "TCP" }] },
      fields: inRules(direction, [
        ["action", "Pass"],
        ["protocol", 17],
        ...TCP,
        ["metadata.annotations", { a: "b" }, "without effect"],
        ["http.methods", ["GET"], "refused"],
        ["http.paths", [{ exact: "/" }], "refused"],
      ]),
    },
    {
      names: POLICIES,
      base: { [direction]: [{ action: "Allow", protocol: "ICMP", icmp: { type: 3 }, notICMP: { type: 3 } }] },
      fields: inRules(direction, ICMP),
    },
  ]),
  {
    names: POLICIES,
    base: { ingress: [{ action: "Allow", source: { services: { name: "a", namespace: "a" } } }] },
    fields: [
      ["ingress.0.source.services.name", "b"],
      ["ingress.0.source.services.namespace", "b"],
    ],
  },
  {
    names: POLICIES,
    base: { egress: [{ action: "Allow", destination: { services: { name: "a", namespace: "a" } } }] },
    fields: [
      ["egress.0.destination.services.name", "b"],
      ["egress.0.destination.services.namespace", "b"],
    ],
  },
  {
    names: ["stagedKubernetesNetworkPolicies"],
    fields: [
      ["podSelector", { matchLabels: { a: "b" } }],
      ["policyTypes", ["Egress"]],
      ["ingress", [{ from: [{ ipBlock: { cidr: "192.0.2.0/24" } }], ports: [{ port: 80 }] }]],
      ["egress", [{ to: [{ podSelector: {} }] }]],
    ],
  },
  {
    names: ["tiers"],
    fields: [
      ["order", 1],
      ["defaultAction", "Pass"],
    ],
  },
  { names: ["networkSets", "globalNetworkSets"], fields: [["nets", ["192.0.2.0/24"]]] },
  {
    names: ["hostEndpoints"],
    base: { node: "a", interfaceName: "eth0" },
    fields: [
      ["node", "b"],
      ["interfaceName", "*"],
      ["expectedIPs", ["192.0.2.1"]],
      ["profiles", ["projectcalico-default-allow"]],
      ["ports", [{ name: "a", protocol: "TCP", port: 1 }]],
    ],
  },
  {
    names: ["kubeControllersConfigurations"],
    metadata: { name: "default" },
    base: { controllers: { node: { hostEndpoint: { templates: [{ interfaceCIDRs: ["192.0.2.0/24"] }] } } } },
    fields: [
      ["logSeverityScreen", "Debug", "without effect"],
      ["healthChecks", "Disabled", "without effect"],
      ["etcdV3CompactionPeriod", "1m", "without effect"],
      ["prometheusMetricsPort", 1, "without effect"],
      ["debugProfilePort", 1, "without effect"],
      ["controllers.node.reconcilerPeriod", "1m", "without effect"],
      ["controllers.node.leakGracePeriod", "1m", "without effect"],
      ["controllers.node.syncLabels", "Disabled", "refused"],
      ["controllers.node.hostEndpoint.autoCreate", "Enabled"],
      ["controllers.node.hostEndpoint.createDefaultHostEndpoint", "Disabled"],
      ["controllers.node.hostEndpoint.templates.0.generateName", "a"],
      ["controllers.node.hostEndpoint.templates.0.interfaceCIDRs", ["192.0.2.0/25"]],
      ["controllers.node.hostEndpoint.templates.0.interfacePattern", "eth.*"],
      ["controllers.node.hostEndpoint.templates.0.labels", { a: "b" }],
      ["controllers.node.hostEndpoint.templates.0.annotations", { a: "b" }, "without effect"],
      ["controllers.node.hostEndpoint.templates.0.nodeSelector", "has(a)"],
      ["controllers.policy.reconcilerPeriod", "1m", "without effect"],
      ["controllers.workloadEndpoint.reconcilerPeriod", "1m", "without effect"],
      ["controllers.serviceAccount.reconcilerPeriod", "1m", "without effect"],
      ["controllers.namespace.reconcilerPeriod", "1m", "without effect"],
      ["controllers.loadBalancer.assignIPs", "RequestedServicesOnly", "refused"],
      ["controllers.migration.policyNameMigrator", "Disabled", "without effect"],
    ],
  },
];

type Row = [name: Name, path: string, value: unknown, treatment: Treatment, base: object, metadata: object];

const rows = KINDS.flatMap(({ names, base = {}, metadata = { name: "a", namespace: "a" }, fields }) =>
  names.flatMap((name) =>
    fields.map(([path, value, treatment = "kept"]): Row => [name, path, value, treatment, base, metadata]),
  ),
);

/** With the field in place of what `base` says there. */
function withField(base: object, path: string, value: unknown): object {
  const whole = structuredClone(base) as Record<string, never>;
  const keys = path.split(".");
  const last = keys.pop() ?? "";
  let at: Record<string, never> = whole;
  for (const key of keys) {
    at[key] ??= {} as never;
    at = at[key] as never;
  }
  at[last] = value as never;
  return whole;
}

test.each(rows)("%s: %s = %j is %s", (name, path, value, treatment, base, metadata) => {
  const spec = withField(base, path, value);
  const found = refusals(name, spec, metadata);
  if (treatment === "refused") return expect(found.join()).toContain(`spec.${path.replace(/\.(methods|paths)$/, "")}`);
  expect(found).toEqual([]);
  const kept = (one: object) =>
    JSON.stringify((schemas[name].parse({ metadata, spec: one }) as { spec?: unknown }).spec);
  if (treatment === "kept") expect(kept(spec)).not.toBe(kept(base));
  else expect(kept(spec)).toBe(kept(base));
});

test("and a field beside them is refused with its path, wherever it stands", () => {
  for (const [name, path, value, , base, metadata] of rows) {
    const [, ...above] = path.split(".").reverse();
    if (above.some((key) => key === "annotations" || key === "labels")) continue;
    const unknown = [...above.reverse(), "unheardOf"].join(".");
    const found = refusals(name, withField(withField(base, path, value), unknown, true), metadata);
    expect(found.some((text) => text.startsWith(`spec.${unknown}:`)) || found.join().includes("http"), unknown).toBe(
      true,
    );
  }
});
