// Objects of Calico's kinds for policies and of ClusterNetworkPolicy, with what the API server says of those that it refuses.
import type { KubernetesObject } from "../../measure/testbed/kubernetes-objects.ts";
import { apiVersionOf, type KindName, kinds } from "../../model/objects/kinds.ts";

interface Case {
  readonly kind: KindName;
  readonly object: KubernetesObject;
}
interface Refused extends Case {
  /** In the API server's answer. */
  readonly says: string;
}

function of(name: KindName, spec: object, named = "a"): Case {
  const { kind, namespaced } = kinds[name];
  const metadata = { name: named, ...(namespaced && { namespace: "default" }) };
  return { kind: name, object: { apiVersion: apiVersionOf(kinds[name]), kind, metadata, spec } };
}
const rule = (fields: object) => of("globalNetworkPolicies", { ingress: [{ action: "Allow", ...fields }] });
const cluster = (egress: object) => {
  const rule = { action: "Accept", to: [{ namespaces: {} }], ...egress };
  return of("clusterNetworkPolicies", { tier: "Admin", priority: 5, subject: { namespaces: {} }, egress: [rule] });
};
const gateway = (spec: object) => of("egressGateways", { nodeSelector: "has(egress)", ...spec });
const global = (spec: object) => of("globalNetworkPolicies", spec);

/** As `kubectl get -o yaml` shows it where controllers write a status. */
const withStatus = ({ kind, object }: Case): Case => ({
  kind,
  object: { ...object, status: { conditions: [{ type: "Accepted", status: "True" }], environmentVars: { A: "b" } } },
});

export const accepts: readonly Case[] = [
  withStatus(of("tiers", { order: 5, defaultAction: "Pass" })),
  withStatus(of("kubeControllersConfigurations", { controllers: { node: {} } }, "default")),
  withStatus(cluster({})),
  // A rule that says everything it may.
  rule({
    protocol: "TCP",
    ipVersion: 4,
    notProtocol: 17,
    metadata: { annotations: { a: "b" } },
    source: {
      nets: ["10.0.0.0/8", "192.0.2.7"],
      notNets: ["10.1.0.0/16"],
      selector: "a == 'b'",
      notSelector: "has(c)",
      namespaceSelector: "global()",
      serviceAccounts: { names: ["x"], selector: "d == 'e'" },
      ports: [1, "2", "3:4", "name"],
      notPorts: [65535],
    },
    destination: { ports: ["http"], notPorts: ["https"] },
  }),
  rule({ protocol: 1, icmp: { type: 8, code: 0 }, notICMP: { type: 0 } }),
  rule({ source: { services: { name: "db", namespace: "shop" } } }),
  global({ tier: "t", order: 1.5, selector: "all()", namespaceSelector: "has(a)", types: ["Ingress", "Egress"] }),
  global({ doNotTrack: true, applyOnForward: true, egress: [{ action: "Pass" }, { action: "Log" }] }),
  global({ preDNAT: true, applyOnForward: true, ingress: [{ action: "Deny" }] }),
  of("calicoNetworkPolicies", { selector: "a in {'b'}", egress: [{ action: "Deny" }] }),
  of("stagedNetworkPolicies", { stagedAction: "Delete" }),
  of("stagedGlobalNetworkPolicies", { order: 1 }),
  of("stagedKubernetesNetworkPolicies", {
    podSelector: {},
    ingress: [{ from: [{ podSelector: {} }], ports: [{ port: "http" }] }],
  }),
  of("tiers", { order: 5, defaultAction: "Pass" }),
  of("tiers", { order: 1_000_000, defaultAction: "Deny" }, "default"),
  of("hostEndpoints", { node: "one", interfaceName: "*", ports: [{ name: "ssh", protocol: "TCP", port: 22 }] }),
  of("hostEndpoints", { node: "one", expectedIPs: ["192.0.2.1"], profiles: ["projectcalico-default-allow"] }),
  of("networkSets", { nets: ["192.0.2.7", "fd00::/8"] }),
  // As Calico's documentation and its operator write them.
  of("ipPools", {
    ...{ cidr: "10.1.0.0/16", vxlanMode: "CrossSubnet", natOutgoing: true, disabled: false, nodeSelector: "all()" },
    ...{ allowedUses: ["Workload", "Tunnel"], assignmentMode: "Automatic", disableBGPExport: false },
  }),
  of("ipPools", {
    cidr: "fd00:1::/64",
    nodeSelector: "zone == 'a'",
    namespaceSelector: "has(team)",
    ipipMode: "Never",
  }),
  of("ipReservations", { reservedCIDRs: ["192.168.2.3", "10.0.2.3/32", "cafe:f00d::/123"] }),
  of("globalNetworkSets", { nets: [] }),
  of(
    "kubeControllersConfigurations",
    { controllers: { node: { hostEndpoint: { autoCreate: "Enabled" } } } },
    "default",
  ),
  of("bgpConfigurations", { asNumber: "1.10", serviceClusterIPs: [{ cidr: "10.96.0.0/12" }] }, "default"),
  of("bgpPeers", { node: "one", peerIP: "192.0.2.1:1179", asNumber: 64500, filters: ["safe"] }),
  of("bgpPeers", {
    ...{ peerIP: "192.0.2.1", asNumber: 64500, failureDetectionMode: "BFDIfDirectlyConnected" },
    password: { secretKeyRef: { name: "bgp", key: "tor" } },
  }),
  of("bgpPeers", { nodeSelector: "has(rack)", peerSelector: "has(reflector)" }),
  gateway({ namespaceSelector: "kubernetes.io/metadata.name == 'shop'" }),
  gateway({
    podSelector: "app == 'mail'",
    ...{ destinations: ["203.0.113.0/24", "2001:db8::/32"], exceptions: ["203.0.113.7/32"] },
    addresses: ["192.0.2.10", "2001:db8::10"],
  }),
  of("bgpFilters", {
    importV4: [{ action: "Reject", cidr: "0.0.0.0/0", matchOperator: "Equal" }, { action: "Accept" }],
  }),
  cluster({
    to: [{ networks: ["10.0.0.0/8", "fd00::/8"] }, { nodes: {} }],
    protocols: [{ tcp: { destinationPort: { number: 80 } } }],
  }),
  cluster({
    name: "dns",
    protocols: [{ udp: { destinationPort: { range: { start: 1, end: 2 } } } }, { destinationNamedPort: "dns" }],
  }),
];

export const refuses: readonly Refused[] = [
  { ...cluster({ to: [{ domainNames: ["example.com"] }] }), says: "domainNames is not supported" },
  { ...cluster({ to: [] }), says: "to" },
  { ...cluster({ to: [{}] }), says: "to[0]" },
  { ...cluster({ to: [{ namespaces: {}, networks: ["10.0.0.0/8"] }] }), says: "to[0]" },
  { ...cluster({ to: [{ networks: ["10.0.0.1"] }] }), says: "must be a network" },
  { ...cluster({ action: "Allow" }), says: "Unsupported value" },
  { ...cluster({ protocols: [{ tcp: {} }] }), says: "tcp" },
  {
    ...cluster({ protocols: [{ tcp: { destinationPort: { range: { start: 2, end: 2 } } } }] }),
    says: "end must be greater",
  },
  {
    ...cluster({ to: [{ networks: ["10.0.0.0/8"] }], protocols: [{ destinationNamedPort: "dns" }] }),
    says: "destinationNamedPort cannot stand",
  },
  {
    ...of("clusterNetworkPolicies", { tier: "Admin", priority: 1_001, subject: { namespaces: {} } }),
    says: "priority",
  },
  { ...of("clusterNetworkPolicies", { tier: "Admin", priority: 1, subject: {} }), says: "subject" },
  { ...rule({ sauce: {} }), says: 'unknown field "sauce"' },
  { ...rule({ source: { domains: ["a"] } }), says: 'unknown field "domains"' },
  { ...rule({ http: { methods: ["GET"] } }), says: "http is not supported" },
  { ...rule({ action: "Accept" }), says: "Unsupported value" },
  { ...rule({ protocol: "tcp" }), says: "protocol" },
  { ...rule({ protocol: 0 }), says: "protocol" },
  { ...rule({ protocol: 256 }), says: "protocol" },
  { ...rule({ protocol: "TCP", destination: { ports: [0] } }), says: "ports" },
  { ...rule({ protocol: "TCP", destination: { ports: ["80,443"] } }), says: "ports" },
  { ...rule({ protocol: "TCP", icmp: { type: 8 } }), says: "need protocol ICMP" },
  { ...rule({ protocol: "ICMP", icmp: { code: 8 } }), says: "needs a type" },
  { ...rule({ protocol: "ICMP", icmp: { type: 255 } }), says: "type" },
  { ...rule({ protocol: "ICMP", ipVersion: 6 }), says: "ICMP is of ipVersion 4 only" },
  { ...rule({ notProtocol: 58, ipVersion: 4 }), says: "ICMPv6 is of ipVersion 6 only" },
  { ...rule({ ipVersion: 5 }), says: "ipVersion" },
  { ...rule({ source: { nets: ["10.0.0.x"] } }), says: "nets" },
  { ...rule({ source: { nets: ["10.0.0.0/8", "10.0.0.0/8"] } }), says: "Duplicate value" },
  { ...rule({ source: { selector: "global()" } }), says: "global() is allowed only" },
  {
    ...rule({ source: { services: { name: "db", namespace: "shop" }, selector: "all()" } }),
    says: "services cannot stand beside",
  },
  { ...rule({ source: { services: { namespace: "shop" } } }), says: 'missing required field "name"' },
  { ...rule({ source: { selector: "a".repeat(1_025) } }), says: "Too long" },
  { ...global({ doNotTrack: true }), says: "applyOnForward must be true" },
  { ...global({ doNotTrack: true, preDNAT: true, applyOnForward: true }), says: "preDNAT cannot be true" },
  { ...global({ preDNAT: true, applyOnForward: true, egress: [{ action: "Allow" }] }), says: "egress must be empty" },
  { ...global({ preDNAT: true, applyOnForward: true, types: ["Egress"] }), says: "types must not have Egress" },
  { ...global({ types: [] }), says: "types" },
  { ...global({ types: ["ingress"] }), says: "Unsupported value" },
  { ...global({ selector: "global()" }), says: "global() is allowed only" },
  { ...global({ order: "10" }), says: "invalid type" },
  { ...of("calicoNetworkPolicies", { doNotTrack: true }), says: 'unknown field "doNotTrack"' },
  { ...of("tiers", { defaultAction: "Allow" }), says: "Unsupported value" },
  { ...of("tiers", { order: 5 }, "default"), says: "the tier default has the order" },
  { ...of("hostEndpoints", { node: "one" }), says: "needs interfaceName or expectedIPs" },
  { ...of("hostEndpoints", { interfaceName: "*" }), says: 'missing required field "node"' },
  { ...of("hostEndpoints", { node: "one", interfaceName: "*", profiles: ["other"] }), says: "Unsupported value" },
  { ...of("networkSets", { nets: ["example.com"] }), says: "nets" },
  { ...of("bgpConfigurations", { asNumber: 0 }, "default"), says: "asNumber" },
  { ...of("bgpPeers", { peerIP: "192.0.2.1" }), says: "needs the peer's AS number" },
  {
    ...of("bgpPeers", {
      ...{ peerIP: "192.0.2.1", asNumber: 1, ttlSecurity: 1, failureDetectionMode: "BFDIfDirectlyConnected" },
    }),
    says: "cannot stand beside ttlSecurity",
  },
  { ...of("bgpPeers", { asNumber: 1 }), says: "needs peerIP or peerSelector" },
  {
    ...of("bgpPeers", { peerIP: "192.0.2.1", asNumber: 1, reachableBy: "192.0.2.2" }),
    says: 'unknown field "reachableBy"',
  },
  { ...of("egressGateways", { podSelector: "all()" }), says: 'missing required field "nodeSelector"' },
  { ...gateway({ podSelector: "all()", nodeSelector: "" }), says: "nodeSelector" },
  { ...gateway({}), says: "needs podSelector or namespaceSelector" },
  { ...gateway({ podSelector: "" }), says: "needs podSelector or namespaceSelector" },
  { ...gateway({ namespaceSelector: "global()" }), says: "global() is allowed only" },
  { ...gateway({ podSelector: "all()", destination: ["10.0.0.0/8"] }), says: 'unknown field "destination"' },
  { ...gateway({ podSelector: "all()", destinations: ["10.0.0.1"] }), says: "destinations" },
  { ...gateway({ podSelector: "all()", exceptions: Array(65).fill("10.0.0.0/8") }), says: "Too many" },
  { ...gateway({ podSelector: "all()", addresses: ["mail.example.com"] }), says: "addresses" },
  { ...gateway({ podSelector: "all()", addresses: ["192.0.2.1", "192.0.2.2", "192.0.2.3"] }), says: "Too many" },
  { ...of("felixConfigurations", { serviceLoopPrevention: "Reject" }, "default"), says: "Unsupported value" },
  { ...of("bgpFilters", { importV4: [{ action: "Accept", cidr: "10.0.0.0/8" }] }), says: "stand together" },
  { ...of("ipPools", { cidr: "10.1.0.0/16", blockSize: 15 }), says: "blockSize" },
  { ...of("ipPools", { cidr: "10.1.0.0/16", assignmentMode: "manual" }), says: "Unsupported value" },
  { ...of("ipPools", { cidr: "10.1.0.0/16", nodeselector: "all()" }), says: 'unknown field "nodeselector"' },
  { ...of("ipPools", { cidr: "10.1.0.0/16", allowedUses: ["LoadBalancer", "Workload"] }), says: "stands alone" },
  {
    ...of("ipPools", { cidr: "10.1.0.0/16", allowedUses: ["LoadBalancer"], nodeSelector: "has(a)" }),
    says: "a pool for LoadBalancer has no nodeSelector",
  },
  {
    ...of(
      "kubeControllersConfigurations",
      { controllers: { node: { hostEndpoint: { autocreate: "Enabled" } } } },
      "default",
    ),
    says: 'unknown field "autocreate"',
  },
  { ...of("kubeControllersConfigurations", {}, "other"), says: 'only the object named "default"' },
];
