import { expect, test } from "vitest";
import { clusterNetworkPolicy } from "./cluster-network-policy.ts";

function refusals(spec: unknown): string[] {
  const { error } = clusterNetworkPolicy.safeParse({ metadata: { name: "a" }, spec });
  return (error?.issues ?? []).map(({ path, message }) => `${path.join(".")}: ${message}`);
}

const policy = (rule: object, more: object = {}) =>
  refusals({
    tier: "Admin",
    priority: 10,
    subject: { namespaces: {} },
    egress: [{ action: "Deny", to: [{ namespaces: {} }], ...rule }],
    ...more,
  }).map((text) => text.replace("spec.egress.0.", ""));
test.each<[string, object, string[]]>([
  [
    "networks",
    { to: [{ networks: ["10.0.0.0/8", "fd00::/8"] }], protocols: [{ tcp: { destinationPort: { number: 80 } } }] },
    [],
  ],
  [
    "domain names",
    { to: [{ domainNames: ["example.com"] }] },
    ["to.0.domainNames: not supported: the dataplane does not know the addresses of names"],
  ],
  ["nobody", { to: [] }, ["to: needs at least one item"]],
  ["an empty peer", { to: [{}] }, ["to.0: needs exactly one of namespaces, pods, nodes, networks, domainNames"]],
  [
    "two peers in one",
    { to: [{ namespaces: {}, networks: ["10.0.0.0/8"] }] },
    ["to.0: needs exactly one of namespaces, pods, nodes, networks, domainNames"],
  ],
  ["another action", { action: "Allow" }, ["action: allowed are Accept, Deny, Pass"]],
  [
    "a port backwards",
    { protocols: [{ udp: { destinationPort: { range: { start: 2, end: 2 } } } }] },
    ["protocols.0.udp.destinationPort.range.end: must be greater than start"],
  ],
  [
    "no port",
    { protocols: [{ udp: {} }] },
    ["protocols.0.udp.destinationPort: Invalid input: expected object, received undefined"],
  ],
  [
    "a named port of networks",
    { to: [{ networks: ["10.0.0.0/8"] }], protocols: [{ destinationNamedPort: "http" }] },
    ["protocols: destinationNamedPort cannot stand beside networks and nodes, which have no named ports"],
  ],
])("%s", (_, rule, refused) => {
  const found = policy(rule);
  expect(found).toEqual(refused);
});
test("its own fields", () => {
  expect(policy({}, { priority: 1001 })).toHaveLength(1);
  expect(policy({}, { tier: "Baseline", subject: {} })).toEqual([
    "spec.subject: needs exactly one of namespaces, pods",
  ]);
  expect(policy({}, { tier: "Default" })).toHaveLength(1);
});
test("pods without a selector of namespaces are those of every namespace", () => {
  const { subject } = clusterNetworkPolicy.parse({
    metadata: { name: "a" },
    spec: { tier: "Admin", priority: 0, subject: { pods: { podSelector: { matchLabels: { a: "b" } } } } },
  }).spec;
  expect(subject.pods?.namespaceSelector).toEqual({ matchExpressions: [] });
});
test("ports are read as ranges", () => {
  const protocols = [
    { tcp: { destinationPort: { number: 80 } } },
    { sctp: { destinationPort: { range: { start: 1, end: 9 } } } },
    { destinationNamedPort: "dns" },
  ];
  const { ingress } = clusterNetworkPolicy.parse({
    metadata: { name: "a" },
    spec: {
      tier: "Admin",
      priority: 0,
      subject: { namespaces: {} },
      ingress: [{ action: "Accept", from: [{ namespaces: {} }], protocols }],
    },
  }).spec;
  expect(ingress[0]?.protocols).toEqual([
    { protocol: "TCP", first: 80, last: 80 },
    { protocol: "SCTP", first: 1, last: 9 },
    { name: "dns" },
  ]);
});
