// Clusters and policies by chance, biased to collisions: shared labels and names, equal orders, overlapping blocks, tiers without
// policies, tiers that do not exist.
import fc from "fast-check";
import { BLOCKS, CLIENTS, type Family, inFamily, NODES, twinOf } from "./families.ts";
import type { Direction, World } from "./objects.ts";
import { clusterPolicy, kubernetesPolicy } from "./random-kubernetes.ts";
import {
  ACCOUNTS,
  accountSelector,
  few,
  labels,
  maybe,
  NAMESPACES,
  name,
  namespaceSelector,
  plain,
  rule,
  SERVICES,
  selector,
} from "./random-rule.ts";

export const MOST_PODS = 5;
const HOST_NAME = "kubernetes.io/hostname";

const order = fc.constantFrom(undefined, 9, 10, 10, 10, 1000, 2000);
const tierName = fc.constantFrom(undefined, undefined, "default", "a", "a", "b", "gone");
const types = maybe(fc.subarray(["Ingress" as const, "Egress" as const], { minLength: 1 }));

function spec(isNamespaced: boolean) {
  const rules = (direction: Direction) => maybe(fc.array(rule(direction, isNamespaced), { maxLength: 3 }), 75);
  return {
    tier: tierName,
    order,
    selector: maybe(selector, 70),
    serviceAccountSelector: maybe(accountSelector, 15),
    types,
    ingress: rules("ingress"),
    egress: rules("egress"),
  };
}
const calicoPolicy = fc.record({
  metadata: fc.record({ name, namespace: fc.constantFrom(...NAMESPACES) }),
  spec: fc.record(spec(true)),
});
const stage = fc.oneof(
  { weight: 8, arbitrary: fc.constant({}) },
  { weight: 1, arbitrary: fc.constant({ applyOnForward: true }) },
  {
    weight: 1,
    arbitrary: fc.constantFrom({ preDNAT: true, applyOnForward: true }, { doNotTrack: true, applyOnForward: true }),
  },
);
const globalPolicy = fc
  .record({
    metadata: fc.record({ name }),
    spec: fc.record({ ...spec(false), namespaceSelector: maybe(namespaceSelector, 35) }),
    stage,
  })
  .map(({ metadata, spec: said, stage: at }) => {
    // The API server refuses preDNAT with egress.
    const isPreDNAT = "preDNAT" in at;
    return { metadata, spec: { ...said, ...at, ...(isPreDNAT && { egress: undefined, types: undefined }) } };
  });

const podParts = fc.record({
  namespace: fc.constantFrom(...NAMESPACES),
  labels,
  account: fc.constantFrom(...ACCOUNTS),
  http: fc.constantFrom(undefined, 80, 8080),
  dns: fc.constantFrom(undefined, 53),
  isLocal: fc.oneof({ weight: 2, arbitrary: fc.constant(true) }, fc.constant(false)),
});
const nets = fc.subarray([...BLOCKS, ...BLOCKS.map(twinOf)], { minLength: 1, maxLength: 3 });
const familyChoices = fc.constantFrom<Family[]>(["IPv4"], ["IPv4"], ["IPv4", "IPv6"], ["IPv6"]);
const automatic = fc.record({
  autoCreate: fc.constantFrom("Enabled", "Enabled", "Disabled"),
  createDefaultHostEndpoint: fc.constantFrom(undefined, "Enabled", "Disabled"),
  templates: fc.array(
    fc.record({ generateName: fc.constant("t"), interfaceCIDRs: nets, labels, nodeSelector: maybe(selector) }),
    { maxLength: 1 },
  ),
});
const toHost = fc.constantFrom(undefined, "Accept", "Drop", "Return", "Return");
const hostEndpoint = fc.record({
  labels,
  node: fc.constantFrom("master", "master", "node"),
  interfaceName: fc.constantFrom("eth0", "eth0", "eth1", "*", undefined),
  isExpected: fc.boolean(),
  isOpen: fc.boolean(),
});
const tierSpec = fc.record({
  order: fc.constantFrom(undefined, 100, 100, 999_999, 2_000_000, 20_000_000),
  defaultAction: fc.constantFrom(undefined, "Deny", "Pass"),
});

const egressGateway = fc.record({
  podSelector: selector,
  // Of what does not change while connections exist.
  nodeSelector: fc.constantFrom(
    "all()",
    ...["master", "node", "node", "gone"].map((one) => `${HOST_NAME} == '${one}'`),
  ),
  destinations: maybe(nets, 40),
  exceptions: maybe(nets, 40),
});

const parts = fc.record({
  families: familyChoices,
  nodeLabels: fc.tuple(labels, labels),
  automatic: maybe(automatic),
  toHost,
  teams: fc.tuple(fc.constantFrom("a", "b"), fc.constantFrom("a", "b")),
  roles: fc.tuple(fc.constantFrom("api", undefined), fc.constantFrom("api", undefined)),
  pods: fc.array(podParts, { minLength: 2, maxLength: MOST_PODS }),
  sets: fc.array(fc.record({ namespace: fc.constantFrom(...NAMESPACES), labels, nets }), few),
  globalSets: fc.array(fc.record({ labels, nets }), few),
  hosts: fc.array(hostEndpoint, few),
  tiers: fc.record({ a: maybe(tierSpec, 80), b: maybe(tierSpec, 80) }),
  kubernetes: fc.array(kubernetesPolicy, few),
  cluster: fc.array(clusterPolicy, few),
  calico: fc.array(calicoPolicy, { maxLength: 3 }),
  global: fc.array(globalPolicy, { maxLength: 3 }),
  gateways: maybe(fc.array(egressGateway, few), 30),
});

function worldOf(value: typeof parts extends fc.Arbitrary<infer T> ? T : never): World {
  const { pods, sets, globalSets, tiers } = value;
  const podList = pods.map((pod, index) => podOf(pod, index, value.families));
  const addressesOf = (node: string) => value.families.map((family) => inFamily(NODES[node as "master"], family));
  return plain({
    nodes: Object.keys(NODES).map((node, index) => ({
      metadata: { name: node, labels: { ...value.nodeLabels[index], [HOST_NAME]: node } },
      status: { addresses: addressesOf(node).map((address) => ({ type: "InternalIP", address })) },
    })),
    kubeControllersConfigurations: value.automatic
      ? [{ metadata: { name: "default" }, spec: { controllers: { node: { hostEndpoint: value.automatic } } } }]
      : [],
    felixConfigurations: value.toHost
      ? [{ metadata: { name: "default" }, spec: { defaultEndpointToHostAction: value.toHost } }]
      : [],
    namespaces: NAMESPACES.map((namespace, index) => ({
      metadata: {
        name: namespace,
        labels: { team: value.teams[index], "kubernetes.io/metadata.name": namespace, app: index === 0 ? "web" : "db" },
      },
    })),
    serviceAccounts: NAMESPACES.flatMap((namespace) =>
      ACCOUNTS.map((account, index) => ({
        metadata: { name: account, namespace, ...(value.roles[index] && { labels: { role: value.roles[index] } }) },
      })),
    ),
    pods: podList,
    endpointSlices: NAMESPACES.flatMap((namespace) =>
      SERVICES.flatMap((service) =>
        value.families.map((family, place) => ({
          metadata: {
            name: `${service}${place || ""}`,
            namespace,
            labels: { "kubernetes.io/service-name": service },
          },
          addressType: family,
          ports: [{ name: "p", port: service === "db" ? 443 : 80, protocol: "TCP" }],
          endpoints: podList
            .filter(({ metadata }) => metadata.namespace === namespace && metadata.labels.app === service)
            .map(({ status }) => ({ addresses: [status.podIPs[place]?.ip], conditions: { ready: true } })),
        })),
      ),
    ),
    networkSets: sets.map(({ namespace, nets: blocks, labels: own }, index) => ({
      metadata: { name: `set-${index}`, namespace, labels: own },
      spec: { nets: blocks },
    })),
    globalNetworkSets: globalSets.map(({ nets: blocks, labels: own }, index) => ({
      metadata: { name: `set-${index}`, labels: own },
      spec: { nets: blocks },
    })),
    hostEndpoints: value.hosts.map(({ labels: own, node, interfaceName, isExpected, isOpen }, index) => {
      const isNamed = interfaceName !== undefined;
      // Beside the node's own, of a machine outside.
      const client = CLIENTS[index % 3] as string;
      const expected = [
        ...(isExpected || !isNamed ? addressesOf(node) : []),
        ...(isExpected === isNamed ? value.families.map((family) => inFamily(client, family)) : []),
      ];
      return {
        metadata: { name: `host-${index}`, labels: own },
        spec: {
          node,
          interfaceName,
          ...(expected.length > 0 && { expectedIPs: expected }),
          ...(isOpen && { profiles: ["projectcalico-default-allow"] }),
          ports: [{ name: "http", protocol: "TCP", port: isExpected ? 80 : 8080 }],
        },
      };
    }),
    tiers: Object.entries(tiers).flatMap(([tier, said]) => (said ? [{ metadata: { name: tier }, spec: said }] : [])),
    networkPolicies: unique(value.kubernetes),
    clusterNetworkPolicies: unique(value.cluster),
    calicoNetworkPolicies: unique(value.calico),
    globalNetworkPolicies: unique(value.global),
    egressGateways: (value.gateways ?? []).map((spec, index) => ({ metadata: { name: `gateway-${index}` }, spec })),
  }) as unknown as World;
}

/** Two objects of one kind never share namespace and name. */
function unique<T extends { metadata: { name: string; namespace?: string } }>(list: T[]): T[] {
  return [...new Map(list.map((item) => [`${item.metadata.namespace}/${item.metadata.name}`, item])).values()];
}

type PodParts = typeof podParts extends fc.Arbitrary<infer T> ? T : never;

function podOf(
  { namespace, labels: own, account, http, dns, isLocal }: PodParts,
  index: number,
  families: readonly Family[],
) {
  return {
    metadata: { name: `pod-${index}`, namespace, labels: own },
    spec: {
      nodeName: isLocal ? "master" : "node",
      serviceAccountName: account,
      containers: [
        {
          ports: [
            ...(http === undefined ? [] : [{ name: "http", containerPort: http, protocol: "TCP" }]),
            ...(dns === undefined ? [] : [{ name: "dns", containerPort: dns, protocol: "UDP" }]),
          ],
        },
      ],
    },
    status: { phase: "Running", podIPs: families.map((family) => ({ ip: inFamily(`10.244.0.${index + 1}`, family) })) },
  };
}

export const randomWorld: fc.Arbitrary<World> = parts.map(worldOf);
