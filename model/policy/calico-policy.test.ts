import { describe, expect, test } from "vitest";
import { networkSet } from "../objects/calico-policy/network-set.ts";
import type { PolicyObjects } from "./policy-objects.ts";
import { allow, END, GLOBAL_END, global, ingress, policy, said } from "./small-cluster.fixture.ts";

describe("peers", () => {
  test.each<[string, Partial<PolicyObjects>, string, string]>([
    ["no policy", {}, "db -> web tcp/80", "allow"],
    ["a policy isolates", ingress(), "db -> web tcp/80", END],
    ["ingress alone isolates ingress alone", ingress(), "db <- web tcp/80", "allow"],
    [
      "a selector is about its namespace",
      ingress(allow({ source: { selector: "app == 'web'" } })),
      "job -> web tcp/80",
      END,
    ],
    [
      "a selector of the namespace",
      ingress(allow({ source: { selector: "app == 'db'" } })),
      "db -> web tcp/80",
      "allow",
    ],
    [
      "notSelector of a namespace",
      ingress(allow({ source: { notSelector: "app == 'db'" } })),
      "job -> web tcp/80",
      END,
    ],
    ["notSelector excludes", ingress(allow({ source: { notSelector: "app == 'db'" } })), "db -> web tcp/80", END],
    [
      "namespaceSelector",
      ingress(allow({ source: { namespaceSelector: "team == 'b'" } })),
      "job -> web tcp/80",
      "allow",
    ],
    [
      "namespaceSelector by name",
      ingress(allow({ source: { namespaceSelector: "projectcalico.org/name == 'lab'" } })),
      "job -> web tcp/80",
      "allow",
    ],
    [
      "namespaceSelector all()",
      ingress(allow({ source: { namespaceSelector: "all()" } })),
      "8.8.8.8 -> web tcp/80",
      END,
    ],
    [
      "global notSelector means the rest of the world",
      global(allow({ source: { notSelector: "app == 'db'" } })),
      "8.8.8.8 -> web tcp/80",
      "allow",
    ],
    [
      "global notSelector excludes",
      global(allow({ source: { notSelector: "app == 'db'" } })),
      "db -> web tcp/80",
      GLOBAL_END,
    ],
    [
      "a global selector reaches every namespace",
      global(allow({ source: { selector: "app == 'web'" } })),
      "job -> web tcp/80",
      "allow",
    ],
    [
      "the namespace as a label",
      global(allow({ source: { selector: "projectcalico.org/namespace == 'lab'" } })),
      "job -> web tcp/80",
      "allow",
    ],
    [
      "service accounts by name",
      ingress(allow({ source: { serviceAccounts: { names: ["default"] } } })),
      "db -> web tcp/80",
      "allow",
    ],
    [
      "service accounts of another namespace",
      ingress(allow({ source: { serviceAccounts: { names: ["robot"] } } })),
      "job -> web tcp/80",
      END,
    ],
    [
      "service accounts by label",
      global(allow({ source: { serviceAccounts: { selector: "role == 'api'" } } })),
      "db -> web tcp/80",
      GLOBAL_END,
    ],
    ["nets", ingress(allow({ source: { nets: ["8.8.0.0/16"] } })), "8.8.8.8 -> web tcp/80", "allow"],
    [
      "notNets",
      ingress(allow({ source: { nets: ["8.0.0.0/8"], notNets: ["8.8.8.0/24"] } })),
      "8.8.8.8 -> web tcp/80",
      END,
    ],
    ["notNets alone", ingress(allow({ source: { notNets: ["8.8.8.0/24"] } })), "9.9.9.9 -> web tcp/80", "allow"],
    [
      "selector and nets",
      ingress(allow({ source: { selector: "all()", nets: ["10.244.0.2/32"] } })),
      "db -> web tcp/80",
      "allow",
    ],
    [
      "selector and other nets",
      ingress(allow({ source: { selector: "all()", nets: ["10.9.0.0/16"] } })),
      "db -> web tcp/80",
      END,
    ],
    ["ipVersion", ingress(allow({ ipVersion: 6 })), "db -> web tcp/80", END],
    ["the other ipVersion", ingress(allow({ ipVersion: 4 })), "db -> web tcp/80", "allow"],
  ])("%s", (_, objects, packet, wanted) => expect(said(objects, packet)).toBe(wanted));
});

describe("protocols and ports", () => {
  const P = { protocol: "TCP" } as const;
  test.each<[string, Partial<PolicyObjects>, string, string]>([
    ["protocol", ingress(allow(P)), "db -> web udp/80", END],
    ["protocol by number", ingress(allow({ protocol: 47 })), "db -> web 47", "allow"],
    ["notProtocol", ingress(allow({ notProtocol: "TCP" })), "db -> web tcp/80", END],
    ["notProtocol allows others", ingress(allow({ notProtocol: "TCP" })), "db -> web 47", "allow"],
    ["ports", ingress(allow({ ...P, destination: { ports: [80, "8000:8100"] } })), "db -> web tcp/8050", "allow"],
    ["other ports", ingress(allow({ ...P, destination: { ports: [80, "8000:8100"] } })), "db -> web tcp/81", END],
    ["notPorts", ingress(allow({ ...P, destination: { notPorts: [80] } })), "db -> web tcp/80", END],
    [
      "notPorts are of the protocol",
      ingress(allow({ ...P, destination: { notPorts: [80] } })),
      "db -> web udp/81",
      END,
    ],
    [
      "a name of the pod's own port",
      ingress(allow({ ...P, destination: { ports: ["http"] } })),
      "db -> web tcp/8080",
      "allow",
    ],
    ["source ports", ingress(allow({ ...P, source: { ports: [53] } })), "db@53 -> web tcp/80", "allow"],
    ["other source ports", ingress(allow({ ...P, source: { ports: [53] } })), "db@54 -> web tcp/80", END],
    [
      "a name of the peer's port as source",
      ingress(allow({ ...P, source: { ports: ["http"] } })),
      "db@5432 -> web tcp/80",
      "allow",
    ],
    ["ICMP type", ingress(allow({ protocol: "ICMP", icmp: { type: 8 } })), "db -> web icmp/2048", "allow"],
    ["another ICMP type", ingress(allow({ protocol: "ICMP", icmp: { type: 8 } })), "db -> web icmp/0", END],
    [
      "ICMP type and code",
      ingress(allow({ protocol: "ICMP", icmp: { type: 3, code: 4 } })),
      "db -> web icmp/772",
      "allow",
    ],
    ["notICMP", ingress(allow({ protocol: "ICMP", notICMP: { type: 8 } })), "db -> web icmp/2048", END],
  ])("%s", (_, objects, packet, wanted) => expect(said(objects, packet)).toBe(wanted));

  test("a name of a peer's port as destination", () => {
    const spec = { egress: [allow({ protocol: "TCP", destination: { ports: ["http"] } })] };
    const objects = { calicoNetworkPolicies: [policy(spec)] };
    expect(said(objects, "db <- web tcp/5432")).toBe("allow");
    expect(said(objects, "db <- web tcp/8080")).toBe(END);
    expect(said(objects, "db -> web tcp/1")).toBe("allow");
  });
});

describe("the endpoint's own side of a rule", () => {
  test.each<[string, Partial<PolicyObjects>, string, string]>([
    [
      "nets with its address",
      ingress(allow({ destination: { nets: ["10.244.0.0/24"] } })),
      "db -> web tcp/80",
      "allow",
    ],
    ["nets without its address", ingress(allow({ destination: { nets: ["10.9.0.0/24"] } })), "db -> web tcp/80", END],
    ["its selector", ingress(allow({ destination: { selector: "app == 'db'" } })), "db -> web tcp/80", END],
    [
      "a network set that it is in",
      {
        ...global(allow({ destination: { selector: "role == 'front'" } })),
        globalNetworkSets: [
          networkSet.parse({ metadata: { name: "s", labels: { role: "front" } }, spec: { nets: ["10.244.0.1/32"] } }),
        ],
      },
      "db -> web tcp/80",
      "allow",
    ],
  ])("%s", (_, objects, packet, wanted) => expect(said(objects, packet)).toBe(wanted));

  test("an address of one family alone", () => {
    const objects = ingress(allow({ destination: { nets: ["10.244.0.0/24"] } }));
    expect(said(objects, "8.8.8.8 -> web tcp/80", "fd00::1")).toBe("allow");
    expect(said(objects, "fd00::8 -> web tcp/80", "fd00::1")).toBe(END);
  });
});
