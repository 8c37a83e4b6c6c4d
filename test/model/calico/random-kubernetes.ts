// Policies of Kubernetes by chance: NetworkPolicy and ClusterNetworkPolicy.
import fc from "fast-check";
import { BLOCKS, twinOf } from "./families.ts";
import type { ClusterPolicy, ClusterRule, Direction, LabelSelector } from "./objects.ts";
import { few, labels, maybe, NAMESPACES, name, PORTS } from "./random-rule.ts";

const labelSelector: fc.Arbitrary<LabelSelector> = fc.oneof(
  fc.constant({}),
  fc.record({ matchLabels: labels }),
  fc.record({
    matchExpressions: fc.array(
      fc.oneof(
        fc.record({
          key: fc.constantFrom("app", "tier"),
          operator: fc.constantFrom("In", "NotIn"),
          values: fc.subarray(["web", "front"], { minLength: 1 }),
        }),
        fc.record({ key: fc.constantFrom("app", "tier"), operator: fc.constantFrom("Exists", "DoesNotExist") }),
      ),
      { minLength: 1, maxLength: 2 },
    ),
  }),
);
const namespaceLabels: fc.Arbitrary<LabelSelector> = fc.oneof(
  fc.constant({}),
  fc.record({ matchLabels: fc.record({ team: fc.constantFrom("a", "b") }) }),
  fc.record({ matchLabels: fc.record({ "kubernetes.io/metadata.name": fc.constantFrom(...NAMESPACES) }) }),
);
const kubernetesPeer = fc.oneof(
  fc.record({ podSelector: labelSelector }),
  fc.record({ namespaceSelector: namespaceLabels }),
  fc.record({ podSelector: labelSelector, namespaceSelector: namespaceLabels }),
  fc.record({
    ipBlock: fc
      .record({ cidr: fc.constantFrom(...BLOCKS), except: fc.subarray(BLOCKS, { maxLength: 1 }), isIpv6: fc.boolean() })
      .map(({ cidr, except, isIpv6 }) =>
        isIpv6 ? { cidr: twinOf(cidr), except: except.map(twinOf) } : { cidr, except },
      ),
  }),
);
const kubernetesPort = fc.oneof(
  fc.record({ port: fc.constantFrom(...PORTS), protocol: fc.constantFrom("TCP", "UDP") }),
  fc.record({ protocol: fc.constantFrom("TCP", "UDP", "SCTP") }),
  fc.constant({ port: 80, endPort: 443 }),
  fc.constant({ port: "http" }),
);
const kubernetesRules = <K extends string>(side: K) =>
  fc.array(
    fc.record({ [side]: fc.array(kubernetesPeer, few), ports: fc.array(kubernetesPort, few) }, { requiredKeys: [] }),
    few,
  );
export const kubernetesPolicy = fc.record({
  metadata: fc.record({ name, namespace: fc.constantFrom(...NAMESPACES) }),
  spec: fc.record(
    {
      podSelector: labelSelector,
      policyTypes: fc.subarray(["Ingress", "Egress"], { minLength: 1 }),
      ingress: kubernetesRules("from"),
      egress: kubernetesRules("to"),
    },
    { requiredKeys: ["podSelector", "policyTypes"] },
  ),
});

const clusterPods = fc.record({ namespaceSelector: namespaceLabels, podSelector: labelSelector });
const clusterPeer = fc.oneof(fc.record({ namespaces: namespaceLabels }), fc.record({ pods: clusterPods }));
const clusterPort = fc.oneof(
  fc.record({ destinationPort: fc.record({ number: fc.constantFrom(...PORTS) }) }),
  fc.constant({ destinationPort: { range: { start: 80, end: 443 } } }),
);
const clusterProtocols = fc.array(
  fc.oneof(
    fc.record({ tcp: clusterPort }),
    fc.record({ udp: clusterPort }),
    fc.record({ sctp: clusterPort }),
    fc.constant({ destinationNamedPort: "http" }),
  ),
  { minLength: 1, maxLength: 2 },
);
function clusterRules(direction: Direction) {
  const networks = fc.record({
    networks: fc.subarray([...BLOCKS, ...BLOCKS.map(twinOf)], { minLength: 1, maxLength: 2 }),
  });
  const peers = fc.array(direction === "ingress" ? clusterPeer : fc.oneof(clusterPeer, networks), {
    minLength: 1,
    maxLength: 2,
  });
  const action = fc.constantFrom("Accept", "Deny", "Pass");
  const protocols = maybe(clusterProtocols);
  return fc.array(fc.record({ action, peers, protocols }), few).map((rules) =>
    rules.map(({ action: does, peers: side, protocols: all }) => {
      // The API server refuses named ports beside networks.
      const blocks = side.some((peer) => "networks" in peer);
      const legal = all?.filter((one) => !(blocks && "destinationNamedPort" in one));
      const protocols = legal && legal.length > 0 ? { protocols: legal } : {};
      return { action: does, [direction === "ingress" ? "from" : "to"]: side, ...protocols };
    }),
  ) as unknown as fc.Arbitrary<ClusterRule[]>;
}
export const clusterPolicy = fc.record({
  metadata: fc.record({ name }),
  spec: fc.record({
    tier: fc.constantFrom("Admin", "Baseline"),
    priority: fc.constantFrom(9, 10, 11, 1000),
    subject: fc.oneof(fc.record({ namespaces: namespaceLabels }), fc.record({ pods: clusterPods })),
    ingress: clusterRules("ingress"),
    egress: clusterRules("egress"),
  }),
}) as unknown as fc.Arbitrary<ClusterPolicy>;
