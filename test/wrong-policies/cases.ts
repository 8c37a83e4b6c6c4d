// Policies that people get wrong. `said` by the component in a preview, and by the agent in an Event: the place, and what is allowed there.
import type { KindName } from "../../model/objects/kinds.ts";

export interface WrongPolicy {
  readonly what: string;
  readonly kind: KindName;
  /** Beside the name; as a manifest it is the spec. */
  readonly fields: Readonly<Record<string, unknown>>;
  /** Below the arguments of the component, and below `spec` of the object. */
  readonly path: string;
  /** What both say of it. A key that does not exist: the key that is meant. */
  readonly said: string;
  /** Where an argument's type is checked in other words than the object's field. */
  readonly preview?: string;
  readonly misspelt?: true;
}

type Fields = Record<string, unknown>;

function wrong(kind: KindName) {
  return (what: string, fields: Fields, path: string, said: string, preview?: string): WrongPolicy => ({
    ...{ what, kind, fields, path, said },
    ...(preview !== undefined && { preview }),
  });
}
function misspelt(kind: KindName, fields: Fields, path: string, meant: string): WrongPolicy {
  return { what: path, kind, fields, path, said: meant, misspelt: true };
}

const global = wrong("globalNetworkPolicies");
const rule = (what: string, fields: Fields, path: string, said: string, preview?: string) =>
  global(what, { ingress: [{ action: "Allow", ...fields }] }, `ingress[0].${path}`, said, preview);
const misspeltRule = (fields: Fields, path: string, meant: string) =>
  misspelt("globalNetworkPolicies", { ingress: [{ action: "Allow", ...fields }] }, `ingress[0].${path}`, meant);

const guard = { tier: "Admin", priority: 1, subject: { namespaces: {} } };
const cluster = (what: string, fields: Fields, path: string, said: string, preview?: string) =>
  wrong("clusterNetworkPolicies")(what, { ...guard, ...fields }, path, said, preview);
const clusterRule = (what: string, fields: Fields, path: string, said: string, preview?: string) =>
  cluster(
    what,
    { egress: [{ action: "Deny", to: [{ namespaces: {} }], ...fields }] },
    `egress[0].${path}`,
    said,
    preview,
  );

const kubernetes = (fields: Fields) => ({ podSelector: {}, ingress: [fields] });
const tcp = { protocol: "TCP" };

export const WRONG_POLICIES: readonly WrongPolicy[] = [
  // Keys.
  misspelt("globalNetworkPolicies", { selectr: "has(a)" }, "selectr", "selector"),
  misspelt("globalNetworkPolicies", { ingres: [] }, "ingres", "ingress"),
  misspelt("globalNetworkPolicies", { preDnat: true }, "preDnat", "preDNAT"),
  misspelt("calicoNetworkPolicies", { teir: "a" }, "teir", "tier"),
  misspelt("stagedNetworkPolicies", { stagedaction: "Set" }, "stagedaction", "stagedAction"),
  misspelt("tiers", { defaultaction: "Pass" }, "defaultaction", "defaultAction"),
  misspelt("hostEndpoints", { node: "n", interfaceName: "*", expectedIps: [] }, "expectedIps", "expectedIPs"),
  misspelt("networkSets", { net: [] }, "net", "nets"),
  misspeltRule({ ...tcp, destination: { port: [80] } }, "destination.port", "ports"),
  misspeltRule({ source: { notselector: "has(a)" } }, "source.notselector", "notSelector"),
  misspeltRule({ protocol: "ICMP", icmp: { typ: 8 } }, "icmp.typ", "type"),
  misspeltRule({ notIcmp: { type: 8 } }, "notIcmp", "notICMP"),
  misspelt(
    "stagedKubernetesNetworkPolicies",
    kubernetes({ ports: [{ port: 80, endport: 90 }] }),
    "ingress[0].ports[0].endport",
    "endPort",
  ),
  misspelt(
    "stagedKubernetesNetworkPolicies",
    { podSelector: { matchLables: { app: "db" } } },
    "podSelector.matchLables",
    "matchLabels",
  ),
  misspelt("clusterNetworkPolicies", { ...guard, subjects: {} }, "subjects", "subject"),
  misspelt(
    "clusterNetworkPolicies",
    { ...guard, subject: { namespaces: { matchLables: {} } } },
    "subject.namespaces.matchLables",
    "matchLabels",
  ),
  // Selectors.
  global("one =", { selector: "app = 'db'" }, "selector", "did you mean ==?"),
  global("no quotes", { selector: "app == db" }, "selector", "column 8: expected a value in quotes"),
  global("an open parenthesis", { selector: "(has(a)" }, "selector", "column 8"),
  global("a function that does not exist", { selector: "any()" }, "selector", "column 4"),
  global("global() of endpoints", { selector: "global()" }, "selector", "only in namespaceSelector of a rule"),
  rule("a set that is open", { source: { namespaceSelector: "a in {'b'" } }, "source.namespaceSelector", "column 10"),
  rule(
    "service accounts",
    { source: { serviceAccounts: { selector: "a &&" } } },
    "source.serviceAccounts.selector",
    "column",
  ),
  // Ports and protocols.
  rule(
    "a port without protocol",
    { destination: { ports: [80] } },
    "destination.ports",
    "needs protocol TCP, UDP or SCTP",
  ),
  rule("ports of ICMP", { protocol: "ICMP", destination: { ports: [8] } }, "destination.ports", "needs protocol TCP"),
  rule("port 0", { ...tcp, destination: { ports: [0] } }, "destination.ports[0]", "a port from 1 to 65535"),
  rule("port 65536", { ...tcp, destination: { ports: [65_536] } }, "destination.ports[0]", "a port from 1 to 65535"),
  rule("a range backwards", { ...tcp, source: { ports: ["90:80"] } }, "source.ports[0]", 'a range like "8000:8100"'),
  rule(
    "a range with a dash",
    { ...tcp, source: { notPorts: ["80-90 "] } },
    "source.notPorts[0]",
    'a range like "8000:8100"',
  ),
  rule("a protocol in lower case", { protocol: "tcp" }, "protocol", "did you mean TCP?"),
  rule("protocol 256", { protocol: 256 }, "protocol", "numbers from 1 to 255"),
  rule("a protocol that does not exist", { notProtocol: "HTTP" }, "notProtocol", "allowed are TCP, UDP"),
  // ICMP.
  rule("ICMP of TCP", { ...tcp, icmp: { type: 8 } }, "icmp", "ICMP"),
  rule("a code alone", { protocol: "ICMP", icmp: { code: 0 } }, "icmp.code", "type", "icmp.type"),
  rule("type 256", { protocol: "ICMP", icmp: { type: 256 } }, "icmp.type", "254"),
  // Addresses.
  rule("a name", { source: { nets: ["example.com"] } }, "source.nets[0]", "expected the form 10.244.0.0/16"),
  rule("an incomplete address", { source: { nets: ["10.0.0"] } }, "source.nets[0]", "or 192.0.2.7"),
  rule("host bits", { source: { nets: ["10.0.0.1/8"] } }, "source.nets[0]", "did you mean 10.0.0.0/8?"),
  rule(
    "both families",
    { source: { nets: ["10.0.0.0/8", "fd00::/8"] } },
    "source.nets[1]",
    "a rule is about one address family",
  ),
  rule("the other family", { ipVersion: 4, source: { nets: ["fd00::/8"] } }, "source.nets[0]", "ipVersion of IPv4"),
  rule("a family that does not exist", { ipVersion: 5 }, "ipVersion", "4"),
  // Actions, types, order, tiers.
  rule("an action in lower case", { action: "allow" }, "action", "Allow, Deny, Log, Pass", 'did you mean "Allow"?'),
  global("types in lower case", { types: ["ingress"] }, "types[0]", "Ingress, Egress", 'did you mean "Ingress"?'),
  global("types twice", { types: ["Ingress", "Ingress"] }, "types[1]", "stands in the list already"),
  global("an order in quotes", { order: "10" }, "order", "a number", "did you mean 10, without quotes?"),
  global("a tier in capitals", { tier: "Security" }, "tier", "allowed are lower case letters"),
  global(
    "preDNAT of egress",
    { preDNAT: true, applyOnForward: true, egress: [{ action: "Deny" }] },
    "egress",
    "preDNAT is about ingress",
  ),
  global("preDNAT alone", { preDNAT: true }, "applyOnForward", "must be true beside preDNAT"),
  global(
    "contradicting stages",
    { preDNAT: true, doNotTrack: true, applyOnForward: true },
    "preDNAT",
    "cannot be true beside doNotTrack",
  ),
  rule(
    "services beside a selector",
    { action: "Allow", source: { services: { name: "a", namespace: "b" }, selector: "all()" } },
    "source.selector",
    "cannot stand beside services",
  ),
  wrong("tiers")("an action of rules", { defaultAction: "Allow" }, "defaultAction", "Deny, Pass", '"Deny" or "Pass"'),
  wrong("hostEndpoints")("no interface", { node: "n" }, "", "needs interfaceName or expectedIPs"),
  wrong("globalNetworkSets")("a name", { nets: ["example.com"] }, "nets[0]", "neither an address nor a CIDR"),
  wrong("stagedNetworkPolicies")(
    "a deletion with rules",
    { stagedAction: "Delete", order: 1 },
    "order",
    "left out beside stagedAction Delete",
  ),
  wrong("stagedKubernetesNetworkPolicies")(
    "a range of a name",
    kubernetes({ ports: [{ port: "http", endPort: 90 }] }),
    "ingress[0].ports[0].endPort",
    "numeric port",
    'ports[0].port is "http", but must be a number of at most 90',
  ),
  cluster("a tier of Calico's", { tier: "security" }, "tier", "Admin, Baseline", '"Admin" or "Baseline"'),
  cluster("a priority", { priority: 2_000 }, "priority", "0 to 1000"),
  cluster(
    "two subjects",
    { subject: { namespaces: {}, pods: { podSelector: {} } } },
    "subject",
    "exactly one of namespaces, pods",
  ),
  clusterRule("Calico's action", { action: "Allow" }, "action", "Accept, Deny, Pass", '"Accept", "Deny" or "Pass"'),
  clusterRule("no destinations", { to: [] }, "to", "at least one item"),
  clusterRule("a network", { to: [{ networks: ["10.0.0.0"] }] }, "to[0].networks[0]", "10.0.0.0"),
  clusterRule(
    "a port",
    { protocols: [{ tcp: { destinationPort: { number: 70_000 } } }] },
    "protocols[0].tcp.destinationPort.number",
    "65535",
  ),
  clusterRule(
    "a range",
    { protocols: [{ udp: { destinationPort: { range: { start: 9, end: 8 } } } }] },
    "protocols[0].udp.destinationPort.range.end",
    "greater than start",
  ),
];
