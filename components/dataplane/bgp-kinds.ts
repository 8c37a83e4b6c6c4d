import { kinds } from "../../model/objects/kinds.ts";
import type { KindDefinition, Schema } from "./definition.ts";
import { choice, flag, integer, OBJECT_NAME, obeying, object, SELECTOR, sequence, set, text } from "./rule-schema.ts";

// Calico's kinds for BGP, in its words (projectcalico.org/v3). Fields that are not here are not supported.

const AS_NUMBER: Schema = {
  x_kubernetes_int_or_string: true,
  anyOf: [{ type: "integer" }, { type: "string" }],
  pattern: "^[0-9]{1,10}(\\.[0-9]{1,5})?$",
  minimum: 1,
  maximum: 4_294_967_295,
};
const CIDR = text({ maxLength: 43, pattern: "^[0-9a-fA-F:.]+/[0-9]{1,3}$" });
const NETWORKS = sequence(object({ cidr: CIDR }, { required: ["cidr"] }), 256);
const PASSWORD = object(
  {
    secretKeyRef: object(
      { name: OBJECT_NAME, key: text({ maxLength: 253 }), optional: { type: "boolean", enum: [false] } },
      { required: ["name", "key"] },
    ),
  },
  {
    required: ["secretKeyRef"],
    description: "A key of a Secret in the agents' namespace, which they may read.",
  },
);
const port = integer(1, 65_535);
const duration = text({ maxLength: 20, description: "From 1s to 1h." });
const COMMUNITY = text({ maxLength: 128 });

const CONFIGURATION = object({
  logSeverityScreen: text(),
  nodeToNodeMeshEnabled: { ...flag, default: true, description: "Each node has a session with every other." },
  asNumber: { ...AS_NUMBER, description: "Of the nodes; by default 64512." },
  listenPort: { ...port, description: "Of the nodes; by default 179." },
  bindMode: choice("NodeIP"),
  nodeMeshPassword: PASSWORD,
  nodeMeshMaxRestartTime: duration,
  serviceClusterIPs: { ...NETWORKS, description: "Networks of cluster IPs that nodes announce." },
  serviceExternalIPs: { ...NETWORKS, description: "Networks of external IPs that nodes announce." },
  serviceLoadBalancerIPs: { ...NETWORKS, description: "Networks of load balancer addresses that nodes announce." },
  serviceLoadBalancerAggregation: choice("Enabled", "Disabled"),
  communities: sequence(object({ name: COMMUNITY, value: COMMUNITY }, { required: ["name", "value"] })),
  prefixAdvertisements: sequence(
    object({ cidr: CIDR, communities: set(COMMUNITY) }, { required: ["cidr", "communities"] }),
  ),
});

const filled = (field: string): string => `(has(self.${field}) && size(self.${field}) > 0)`;
const PEER = obeying(
  object({
    node: { ...OBJECT_NAME, description: "The node that has the session; without node and nodeSelector all have." },
    nodeSelector: SELECTOR,
    peerIP: text({ maxLength: 47, description: "The peer, perhaps with a port: 192.0.2.1:1179." }),
    asNumber: AS_NUMBER,
    peerSelector: { ...SELECTOR, description: "Nodes that are the peers." },
    keepOriginalNextHop: flag,
    nextHopMode: choice("Auto", "Self", "Keep"),
    password: PASSWORD,
    sourceAddress: choice("UseNodeIP", "None"),
    maxRestartTime: duration,
    numAllowedLocalASNumbers: integer(0, 255),
    localASNumber: AS_NUMBER,
    ttlSecurity: integer(1, 254),
    reversePeering: choice("Auto", "Manual"),
    failureDetectionMode: choice("None", "BFDIfDirectlyConnected"),
    filters: set(OBJECT_NAME, { maxItems: 64 }),
  }),
  [
    {
      rule: `${filled("peerIP")} != ${filled("peerSelector")}`,
      message: "needs peerIP or peerSelector, and not both",
    },
    { rule: `!${filled("peerIP")} || has(self.asNumber)`, message: "asNumber: needs the peer's AS number" },
    {
      rule: `!${filled("peerSelector")} || !has(self.asNumber)`,
      message: "asNumber cannot stand beside peerSelector: nodes have their own",
    },
    { rule: `!${filled("node")} || !${filled("nodeSelector")}`, message: "nodeSelector cannot stand beside node" },
    {
      rule: "!has(self.failureDetectionMode) || self.failureDetectionMode == 'None' || !has(self.ttlSecurity)",
      message: "failureDetectionMode cannot stand beside ttlSecurity: BFD checks the TTL itself",
    },
    {
      rule: "!(has(self.keepOriginalNextHop) && self.keepOriginalNextHop) || !has(self.nextHopMode)",
      message: "nextHopMode cannot stand beside keepOriginalNextHop",
    },
  ],
);

const rules = (longest: number): Schema =>
  sequence(
    obeying(
      object(
        {
          action: choice("Accept", "Reject"),
          cidr: CIDR,
          matchOperator: choice("Equal", "NotEqual", "In", "NotIn"),
          prefixLength: object({ min: integer(0, longest), max: integer(0, longest) }),
          source: choice("RemotePeers"),
          peerType: choice("eBGP", "iBGP"),
        },
        { required: ["action"] },
      ),
      [
        { rule: "has(self.cidr) == has(self.matchOperator)", message: "cidr and matchOperator stand together" },
        {
          rule: "!has(self.prefixLength) || (has(self.matchOperator) && self.matchOperator in ['In', 'NotIn'])",
          message: "prefixLength needs matchOperator In or NotIn beside it",
        },
      ],
    ),
    256,
  );

/** Kinds of Calico's for BGP. */
export const BGP_KINDS: KindDefinition[] = [
  {
    ...kinds.bgpConfigurations,
    columns: { "AS number": ".spec.asNumber", Mesh: ".spec.nodeToNodeMeshEnabled" },
    onlyName: "default",
    spec: CONFIGURATION,
  },
  {
    ...kinds.bgpPeers,
    columns: { Peer: ".spec.peerIP", "AS number": ".spec.asNumber", Node: ".spec.node" },
    spec: PEER,
  },
  {
    ...kinds.bgpFilters,
    columns: {},
    spec: object({ importV4: rules(32), exportV4: rules(32), importV6: rules(128), exportV6: rules(128) }),
  },
];
