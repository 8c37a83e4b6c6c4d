import { kinds } from "../../model/objects/kinds.ts";
import type { KindDefinition, Schema } from "./definition.ts";
import { choice, integer, LABEL_SELECTOR, obeying, object, sequence, set, text } from "./rule-schema.ts";

// policy.networking.k8s.io/v1alpha2 ClusterNetworkPolicy, in the words of the network policy working group. Domain names are declared only
// to be refused: if the API server dropped them silently, the rule would apply to other peers.

/** Exactly one of the fields. */
const oneOf = (properties: Record<string, Schema>): Schema =>
  object(properties, { minProperties: 1, maxProperties: 1 });
const few = (items: Schema): Schema => ({ ...sequence(items, 25), minItems: 1 });

const IN_PODS = {
  namespaces: LABEL_SELECTOR,
  pods: object({ namespaceSelector: LABEL_SELECTOR, podSelector: LABEL_SELECTOR }, { required: ["podSelector"] }),
};
const NETWORK = obeying(text({ maxLength: 43 }), [
  { rule: "isCIDR(self)", message: "must be a network, like 10.0.0.0/8" },
]);
const EGRESS_PEER = obeying(
  oneOf({
    ...IN_PODS,
    nodes: LABEL_SELECTOR,
    networks: set(NETWORK, { minItems: 1, maxItems: 25 }),
    domainNames: set(text(), { maxItems: 25 }),
  }),
  [
    {
      rule: "!has(self.domainNames)",
      message: "domainNames is not supported: the dataplane does not know the addresses of names",
    },
  ],
);

const port = integer(1, 65_535);
const RANGE = obeying(object({ start: port, end: port }, { required: ["start", "end"] }), [
  { rule: "self.start < self.end", message: "end must be greater than start" },
]);
const TRANSPORT = object({ destinationPort: oneOf({ number: port, range: RANGE }) }, { minProperties: 1 });
const PROTOCOLS = few(
  oneOf({ tcp: TRANSPORT, udp: TRANSPORT, sctp: TRANSPORT, destinationNamedPort: text({ minLength: 1 }) }),
);

const COMMON = { name: text({ maxLength: 100 }), action: choice("Accept", "Deny", "Pass"), protocols: PROTOCOLS };
const EGRESS_RULE = obeying(object({ ...COMMON, to: few(EGRESS_PEER) }, { required: ["action", "to"] }), [
  {
    rule: "!(self.to.exists(peer, has(peer.networks) || has(peer.nodes)) && has(self.protocols) && self.protocols.exists(protocol, has(protocol.destinationNamedPort)))",
    message: "destinationNamedPort cannot stand beside networks and nodes, which have no named ports",
  },
]);

export const CLUSTER_NETWORK_POLICY: KindDefinition = {
  ...kinds.clusterNetworkPolicies,
  // Kubernetes requires this annotation for groups below k8s.io. Upstream's definition is approved; this one is narrower.
  annotations: { "api-approved.kubernetes.io": "unapproved, a part of sigs.k8s.io/network-policy-api v0.2.0" },
  columns: { Tier: ".spec.tier", Priority: ".spec.priority" },
  spec: object(
    {
      tier: choice("Admin", "Baseline"),
      priority: { ...integer(0, 1_000), description: "Lower counts first." },
      subject: oneOf(IN_PODS),
      ingress: sequence(object({ ...COMMON, from: few(oneOf(IN_PODS)) }, { required: ["action", "from"] }), 25),
      egress: sequence(EGRESS_RULE, 25),
    },
    { required: ["tier", "priority", "subject"] },
  ),
};
