// Worlds in which rare wrong understandings show.
import type { World } from "./objects.ts";
import { ADDRESSES, ALLOW, DENY, globalPolicy, policy, smallWorld } from "./small-world.ts";

const kubernetes = {
  metadata: { name: "k", namespace: "shop" },
  spec: { podSelector: {}, policyTypes: ["Ingress"], ingress: [{}] },
};

export const directed: readonly World[] = [
  // Of the same order: the first by name is a NetworkPolicy, the first by kind a GlobalNetworkPolicy.
  smallWorld({
    calicoNetworkPolicies: [policy("a", { order: 10, ingress: [DENY] })],
    globalNetworkPolicies: [globalPolicy("z", { order: 10, ingress: [ALLOW] })],
  }),
  // Of the same order: a name is before those that it begins.
  smallWorld({
    calicoNetworkPolicies: [
      policy("a-b", { order: 10, ingress: [DENY] }),
      policy("a", { order: 10, ingress: [ALLOW] }),
    ],
  }),
  // Without order: after a policy of Kubernetes, whose name comes later.
  smallWorld({ networkPolicies: [kubernetes], calicoNetworkPolicies: [policy("a", { ingress: [DENY] })] }),
  // A policy of Kubernetes is asked before one of a higher order.
  smallWorld({ networkPolicies: [kubernetes], calicoNetworkPolicies: [policy("a", { order: 1500, ingress: [DENY] })] }),
  // A node's address with the labels of two host endpoints.
  smallWorld({
    hostEndpoints: ["a", "b"].map((role) => ({
      metadata: { name: `h-${role}`, labels: { role } },
      spec: { node: "node", interfaceName: `eth-${role}`, expectedIPs: ["172.31.1.207"] },
    })),
    globalNetworkPolicies: [
      globalPolicy("a", { types: ["Ingress"], ingress: [{ ...ALLOW, source: { selector: "role == 'b'" } }] }),
    ],
  }),
  // A machine outside with the labels and the named port of the host endpoint that expects its address.
  smallWorld({
    hostEndpoints: [
      {
        metadata: { name: "h-out", labels: { role: "out" } },
        spec: {
          ...{ node: "gone", interfaceName: "eth0", expectedIPs: [ADDRESSES.client] },
          ports: [{ name: "http", port: 8080, protocol: "TCP" }],
        },
      },
    ],
    globalNetworkPolicies: [
      globalPolicy("a", { types: ["Ingress"], ingress: [{ ...ALLOW, source: { selector: "role == 'out'" } }] }),
      globalPolicy("b", {
        types: ["Egress"],
        egress: [{ ...ALLOW, protocol: "TCP", destination: { selector: "role == 'out'", ports: ["http"] } }],
      }),
    ],
  }),
  // A Service without a namespace is one of the policy's namespace.
  smallWorld({
    endpointSlices: [
      {
        metadata: { name: "db", namespace: "shop", labels: { "kubernetes.io/service-name": "db" } },
        addressType: "IPv4",
        ports: [{ port: 443, protocol: "TCP" }],
        endpoints: [{ addresses: [ADDRESSES.db] }],
      },
    ],
    calicoNetworkPolicies: [
      policy("a", { types: ["Egress"], egress: [{ ...ALLOW, destination: { services: { name: "db" } } }] }),
    ],
  }),
  // A node port that preDNAT closes, while its backend's port is another.
  smallWorld({
    hostEndpoints: [
      { metadata: { name: "h", labels: { role: "host" } }, spec: { node: "master", interfaceName: "eth0" } },
    ],
    globalNetworkPolicies: [
      globalPolicy("a", {
        selector: "role == 'host'",
        preDNAT: true,
        applyOnForward: true,
        ingress: [{ ...DENY, protocol: "TCP", destination: { ports: [8080] } }],
      }),
    ],
  }),
  // The destination of what a node forwards is the packet's.
  smallWorld({
    hostEndpoints: [
      { metadata: { name: "h", labels: { role: "host" } }, spec: { node: "master", interfaceName: "eth0" } },
    ],
    globalNetworkPolicies: [
      globalPolicy("a", {
        ...{ selector: "role == 'host'", applyOnForward: true },
        ingress: [{ ...DENY, destination: { selector: "app == 'db'" } }, ALLOW],
      }),
    ],
  }),
  // What doNotTrack denies and preDNAT allows, with what comes back from a fail-safe port (UDP 53) to an open one.
  smallWorld({
    hostEndpoints: [
      { metadata: { name: "h", labels: { role: "host" } }, spec: { node: "master", interfaceName: "eth0" } },
    ],
    globalNetworkPolicies: [
      globalPolicy("a", {
        selector: "role == 'host'",
        doNotTrack: true,
        applyOnForward: true,
        ingress: [
          { ...DENY, protocol: "TCP", destination: { ports: [8080] } },
          { ...DENY, protocol: "UDP", source: { ports: [53] } },
        ],
      }),
      globalPolicy("b", {
        selector: "role == 'host'",
        preDNAT: true,
        applyOnForward: true,
        ingress: [ALLOW],
      }),
    ],
  }),
];
