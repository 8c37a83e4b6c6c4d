import { ALLOW_PROFILE } from "../../model/objects/calico-policy/host-endpoint.ts";
import { WELL_KNOWN_TIERS } from "../../model/objects/calico-policy/tier.ts";
import { kinds } from "../../model/objects/kinds.ts";
import type { KindDefinition, Rule, Schema } from "./definition.ts";
import {
  choice,
  flag,
  integer,
  labels,
  OBJECT_NAME,
  obeying,
  object,
  PROTOCOL,
  RULES,
  SELECTOR,
  sequence,
  set,
  text,
  withoutGlobal,
} from "./rule-schema.ts";
import { STAGED_KUBERNETES_NETWORK_POLICY } from "./staged-kubernetes-kind.ts";

// Calico's kinds for policies, in its words (projectcalico.org/v3).

const order: Schema = { type: "number", description: "Lower counts first; absent counts last." };
const tier = { ...OBJECT_NAME, default: "default", description: "Tier that the policy is in." };
const types = set(choice("Ingress", "Egress"), { minItems: 1, maxItems: 2 });

const NAMESPACED = {
  tier,
  order,
  selector: SELECTOR,
  serviceAccountSelector: SELECTOR,
  types,
  ingress: RULES,
  egress: RULES,
  // No set: with its only member server-side apply would take the whole spec away.
  performanceHints: sequence(choice("AssumeNeededOnEveryNode"), 1),
};
const GLOBAL = { ...NAMESPACED, namespaceSelector: SELECTOR, doNotTrack: flag, preDNAT: flag, applyOnForward: flag };
const STAGED = { stagedAction: { ...choice("Set", "Delete", "Learn", "Ignore"), default: "Set" } };

const isTrue = (field: string): string => `(has(self.${field}) && self.${field})`;
const NAMESPACED_RULES = withoutGlobal("selector", "serviceAccountSelector");
const GLOBAL_RULES: Rule[] = [
  ...NAMESPACED_RULES,
  ...withoutGlobal("namespaceSelector"),
  { rule: `!${isTrue("doNotTrack")} || !${isTrue("preDNAT")}`, message: "preDNAT cannot be true beside doNotTrack" },
  {
    rule: `${isTrue("applyOnForward")} || !(${isTrue("doNotTrack")} || ${isTrue("preDNAT")})`,
    message: "applyOnForward must be true beside doNotTrack and preDNAT",
  },
  {
    rule: `!${isTrue("preDNAT")} || !has(self.egress) || size(self.egress) == 0`,
    message: "egress must be empty beside preDNAT, which is about ingress",
  },
  {
    rule: `!${isTrue("preDNAT")} || !has(self.types) || !self.types.exists(type, type == 'Egress')`,
    message: "types must not have Egress beside preDNAT, which is about ingress",
  },
];

const POLICY_COLUMNS = { Tier: ".spec.tier", Order: ".spec.order" };
const NETWORKS = object({ nets: set(text({ maxLength: 43, pattern: "^[0-9a-fA-F:.]+(/[0-9]{1,3})?$" })) });

const fixedTiers = Object.entries(WELL_KNOWN_TIERS).map(([name, { order, defaultAction }]) => ({
  rule: `self.metadata.name != '${name}' || (has(self.spec.order) && self.spec.order == ${order}.0 && has(self.spec.defaultAction) && self.spec.defaultAction == '${defaultAction}')`,
  message: `the tier ${name} has the order ${order} and the defaultAction ${defaultAction}`,
}));

const HOST_ENDPOINT = obeying(
  object(
    {
      node: { ...OBJECT_NAME, description: "Name of the node." },
      interfaceName: text({
        maxLength: 15,
        pattern: "^(\\*|[a-zA-Z0-9_.-]{1,15})$",
        description: "An interface, or * for all.",
      }),
      expectedIPs: set(text({ maxLength: 39 })),
      profiles: set(choice(ALLOW_PROFILE)),
      ports: sequence(
        object(
          {
            name: text({ maxLength: 15, pattern: "^([a-z0-9]-?)*[a-z](-?[a-z0-9])*$" }),
            protocol: PROTOCOL,
            port: integer(1, 65_535),
          },
          { required: ["name", "protocol", "port"] },
        ),
      ),
    },
    { required: ["node"] },
  ),
  [
    {
      rule: "(has(self.interfaceName) && size(self.interfaceName) > 0) || (has(self.expectedIPs) && size(self.expectedIPs) > 0)",
      message: "needs interfaceName or expectedIPs",
    },
  ],
);

const enabled = choice("Enabled", "Disabled");
const period = object({ reconcilerPeriod: text() });
const port = integer(0, 65_535);
const AUTOMATIC_HOST_ENDPOINTS = object({
  autoCreate: enabled,
  createDefaultHostEndpoint: enabled,
  templates: sequence(
    object({
      generateName: text({ maxLength: 253 }),
      interfaceCIDRs: set(text({ maxLength: 43 })),
      interfacePattern: text(),
      labels,
      annotations: labels,
      nodeSelector: SELECTOR,
    }),
  ),
});
const CONTROLLERS = object({
  node: object({
    reconcilerPeriod: text(),
    leakGracePeriod: text(),
    syncLabels: choice("Enabled"),
    hostEndpoint: AUTOMATIC_HOST_ENDPOINTS,
  }),
  policy: period,
  workloadEndpoint: period,
  serviceAccount: period,
  namespace: period,
  loadBalancer: object({ assignIPs: choice("AllServices") }),
  migration: object({ policyNameMigrator: enabled }),
});
const CONTROLLERS_CONFIGURATION = object({
  logSeverityScreen: choice("None", "Debug", "Info", "Warning", "Error", "Fatal", "Panic"),
  healthChecks: enabled,
  etcdV3CompactionPeriod: text(),
  prometheusMetricsPort: port,
  debugProfilePort: port,
  controllers: CONTROLLERS,
});

/** Kinds of Calico's that policies need. */
export const POLICY_KINDS: KindDefinition[] = [
  {
    ...kinds.calicoNetworkPolicies,
    shortNames: ["caliconetworkpolicy"],
    columns: POLICY_COLUMNS,
    spec: obeying(object(NAMESPACED), NAMESPACED_RULES),
  },
  {
    ...kinds.globalNetworkPolicies,
    shortNames: ["gnp"],
    columns: POLICY_COLUMNS,
    spec: obeying(object(GLOBAL), GLOBAL_RULES),
  },
  {
    ...kinds.tiers,
    columns: { Order: ".spec.order", "Default action": ".spec.defaultAction" },
    spec: object({ order, defaultAction: { ...choice("Deny", "Pass"), default: "Deny" } }),
    rules: fixedTiers,
  },
  {
    ...kinds.hostEndpoints,
    shortNames: ["hep", "heps"],
    columns: { Node: ".spec.node", Interface: ".spec.interfaceName" },
    spec: HOST_ENDPOINT,
  },
  { ...kinds.networkSets, shortNames: ["netset", "netsets"], columns: {}, spec: NETWORKS, isSpecOptional: true },
  { ...kinds.globalNetworkSets, shortNames: ["gns"], columns: {}, spec: NETWORKS, isSpecOptional: true },
  {
    ...kinds.stagedNetworkPolicies,
    shortNames: ["snp"],
    columns: POLICY_COLUMNS,
    spec: obeying(object({ ...STAGED, ...NAMESPACED }), NAMESPACED_RULES),
  },
  {
    ...kinds.stagedGlobalNetworkPolicies,
    shortNames: ["sgnp"],
    columns: POLICY_COLUMNS,
    spec: obeying(object({ ...STAGED, ...GLOBAL }), GLOBAL_RULES),
  },
  STAGED_KUBERNETES_NETWORK_POLICY,
  {
    ...kinds.kubeControllersConfigurations,
    shortNames: ["kcc"],
    columns: {},
    onlyName: "default",
    spec: CONTROLLERS_CONFIGURATION,
  },
];
