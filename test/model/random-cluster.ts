// Small random clusters and policies, with few labels, blocks and ports, so that they often match.
import fc from "fast-check";
import type { Party, Policy, PolicyPeer, PolicyPort, Selector } from "./network-policy.ts";

export interface RandomPod {
  name: string;
  namespace: string;
  labels: Record<string, string>;
  http: number | undefined;
  dns: number | undefined;
  /** On the node that is compiled for. */
  local: boolean;
}
export interface RandomCluster {
  namespaceLabels: Record<string, Record<string, string>>;
  pods: RandomPod[];
  policies: Policy[];
}

const namespaces = ["alpha", "beta"];
const labels = fc.record({ app: fc.constantFrom("web", "db"), tier: fc.constantFrom("1", "2") }, { requiredKeys: [] });
const key = fc.constantFrom("app", "tier");

const selector: fc.Arbitrary<Selector> = fc.oneof(
  fc.constant({}),
  fc.record({ matchLabels: labels as fc.Arbitrary<Record<string, string>> }),
  fc.record({
    matchExpressions: fc.array(
      fc.oneof(
        fc.record({
          key,
          operator: fc.constantFrom("In", "NotIn"),
          values: fc.subarray(["web", "db", "1"], { minLength: 1 }),
        }),
        fc.record({ key, operator: fc.constantFrom("Exists", "DoesNotExist") }),
      ),
      { minLength: 1, maxLength: 2 },
    ),
  }),
);
const namespaceSelector: fc.Arbitrary<Selector> = fc.oneof(
  fc.constant({}),
  fc.record({ matchLabels: fc.record({ team: fc.constantFrom("a", "b") }) }),
  fc.record({ matchLabels: fc.record({ "kubernetes.io/metadata.name": fc.constantFrom(...namespaces) }) }),
);

export const blocks = [
  "0.0.0.0/0",
  "10.244.0.0/16",
  "10.244.0.0/29",
  "10.244.0.3/32",
  "172.31.0.0/16",
  "172.31.1.0/24",
  "172.31.1.55/32",
  "172.31.1.8/32",
];
const peer: fc.Arbitrary<PolicyPeer> = fc.oneof(
  fc.record({ podSelector: selector }),
  fc.record({ namespaceSelector }),
  fc.record({ podSelector: selector, namespaceSelector }),
  fc.record({
    ipBlock: fc.record({ cidr: fc.constantFrom(...blocks), except: fc.subarray(blocks, { maxLength: 2 }) }),
  }),
);
const port: fc.Arbitrary<PolicyPort> = fc.oneof(
  fc.record({ port: fc.constantFrom(80, 443, 65535) }),
  fc.record({ protocol: fc.constantFrom("TCP", "UDP"), port: fc.constantFrom(53, 80) }),
  fc.record({ protocol: fc.constantFrom("TCP", "UDP") }),
  fc.record({ port: fc.constant(1000), endPort: fc.integer({ min: 1000, max: 2100 }) }),
  fc.record({ port: fc.constant(1), endPort: fc.constantFrom(80, 65535) }),
  fc.constant({ port: "http" }),
  fc.constant({ protocol: "UDP", port: "dns" }),
  fc.constant({ protocol: "SCTP", port: 80 }),
);
const few = { maxLength: 2 };
const rules = <K extends string>(side: K) =>
  fc.array(fc.record({ [side]: fc.array(peer, few), ports: fc.array(port, few) }, { requiredKeys: [] }), few);

const policySpec = fc.record(
  {
    podSelector: selector,
    policyTypes: fc.subarray(["Ingress", "Egress"]),
    ingress: rules("from"),
    egress: rules("to"),
  },
  { requiredKeys: ["podSelector"] },
) as fc.Arbitrary<Policy["spec"]>;

const pod = fc.record({
  namespace: fc.constantFrom(...namespaces),
  labels: labels as fc.Arbitrary<Record<string, string>>,
  http: fc.constantFrom(undefined, 80, 8080),
  dns: fc.constantFrom(undefined, 53, 1053),
  local: fc.boolean(),
});

export const randomCluster: fc.Arbitrary<RandomCluster> = fc
  .record({
    teams: fc.tuple(fc.constantFrom("a", "b"), fc.constantFrom("a", "b")),
    pods: fc.array(pod, { minLength: 2, maxLength: 6 }),
    policies: fc.array(fc.record({ namespace: fc.constantFrom(...namespaces), spec: policySpec }), { maxLength: 4 }),
  })
  .map(({ teams, pods, policies }) => ({
    namespaceLabels: Object.fromEntries(
      namespaces.map((name, index) => [name, { team: teams[index] ?? "a", "kubernetes.io/metadata.name": name }]),
    ),
    pods: pods.map((item, index) => ({ ...item, name: `pod-${index}` })),
    policies: policies.map(({ namespace, spec }, index) => ({
      metadata: { name: `policy-${index}`, namespace },
      spec,
    })),
  }));

/** Pods get 10.244.0.1, .2 and so on. */
export function podAddress(index: number): string {
  return `10.244.0.${index + 1}`;
}

/** All possible senders and receivers: the pods, a node, clients inside and outside the blocks that policies name. */
export function parties({ pods, namespaceLabels }: RandomCluster): Party[] {
  const outside = ["172.31.1.55", "172.31.1.162", "172.31.1.8", "8.8.8.8", "10.244.0.200"].map((address) => ({
    address,
  }));
  return [
    ...pods.map((item, index) => ({
      address: podAddress(index),
      namespace: item.namespace,
      namespaceLabels: namespaceLabels[item.namespace] ?? {},
      labels: item.labels,
      ports: containerPorts(item),
    })),
    ...outside,
  ];
}

export function containerPorts({ http, dns }: RandomPod): { name: string; containerPort: number; protocol: string }[] {
  return [
    ...(http === undefined ? [] : [{ name: "http", containerPort: http, protocol: "TCP" }]),
    ...(dns === undefined ? [] : [{ name: "dns", containerPort: dns, protocol: "UDP" }]),
  ];
}
