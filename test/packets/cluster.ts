// The small cluster of the packet tests and the fuzzer: three nodes, an overlay and a plain pool, pods with and without
// policies, a service of every kind. The node under test is `master`.
import { POOL_EGRESS_ADDRESS } from "../../model/egress/pool-address.ts";
import type { Encapsulation } from "../../model/pool/encapsulation.ts";
import type { Policy } from "../model/network-policy.ts";

export interface ClusterPod {
  readonly name: string;
  readonly address: string;
  readonly node: keyof typeof nodes;
  readonly labels: Readonly<Record<string, string>>;
}

/** `far` is behind the router; the hardware address of `fresh` is not known yet. */
export const nodes = { master: "172.31.1.8", node: "172.31.1.207", far: "10.9.0.4", fresh: "172.31.1.210" } as const;
/** A second address of the node under test: a load balancer's, a second card's. */
export const secondAddress = "172.31.1.9";
export const outside = { client1: "172.31.1.55", client2: "172.31.1.162", remote: "203.0.113.5" } as const;
export const gateway = "172.31.1.1";
/** A second card, the router there and the network behind it. */
export const second = {
  address: "192.0.2.8",
  router: "192.0.2.1",
  network: "198.51.101.0/24",
  beyond: "198.51.101.5",
} as const;
export const pools = { overlay: "10.244.0.0/16", plain: "10.245.0.0/16" } as const;

const here = [
  { name: "web", address: "10.244.0.2", labels: { app: "web" } },
  { name: "db", address: "10.244.0.3", labels: { app: "db" } },
  { name: "jail", address: "10.245.0.2", labels: { app: "jail" } },
  { name: "open", address: "10.245.0.3", labels: { app: "open" } },
];
const elsewhere: ClusterPod[] = [
  { name: "web2", address: "10.244.1.2", node: "node", labels: { app: "web" } },
  { name: "friend", address: "10.245.1.2", node: "node", labels: { app: "friend" } },
  { name: "web3", address: "10.244.2.2", node: "far", labels: { app: "web" } },
];
export const localPods: readonly ClusterPod[] = here.map((pod) => ({ ...pod, node: "master" }));
export const pods: readonly ClusterPod[] = [...localPods, ...elsewhere];

export const policies: readonly Policy[] = [
  policy("db", {
    podSelector: { matchLabels: { app: "db" } },
    policyTypes: ["Ingress"],
    ingress: [
      {
        from: [{ podSelector: { matchLabels: { app: "web" } } }, { ipBlock: { cidr: `${outside.client1}/32` } }],
        ports: [{ protocol: "TCP", port: 80 }],
      },
      { from: [{ podSelector: { matchLabels: { app: "friend" } } }], ports: [{ protocol: "UDP", port: 80 }] },
    ],
  }),
  policy("jail", {
    podSelector: { matchLabels: { app: "jail" } },
    policyTypes: ["Ingress", "Egress"],
    egress: [
      { to: [{ podSelector: { matchLabels: { app: "web" } } }], ports: [{ protocol: "TCP", port: 80 }] },
      { to: [{ ipBlock: { cidr: `${outside.client1}/32` } }], ports: [{ protocol: "UDP", port: 80 }] },
    ],
  }),
];

/** A load balancer's address that the node under test announces on its uplink, and one whose announcement has ended. */
export const announced = { address: "172.31.1.240", mac: "02:00:00:00:04:01", ended: "172.31.1.241" } as const;

/** Every service has port 80. */
export interface ClusterService {
  readonly name: string;
  readonly clusterIP: string;
  readonly nodePort: number;
  readonly protocol: "TCP" | "UDP" | "SCTP";
  /** Names of pods; a node's name: the node itself, as a pod on its network; or a host outside. */
  readonly backends: readonly string[];
  readonly spec?: Readonly<Record<string, unknown>>;
  /** Of its backends; 80 by default. */
  readonly targetPort?: number;
  /** The address of its load balancer. */
  readonly balancer?: string;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly labels?: Readonly<Record<string, string>>;
}

export const externalAddress = "198.51.100.7";
/** A client that asked not to be answered by another node than the one it connects to. */
export const optedOut = "203.0.113.77";
/** Nodes announce that its addresses are Services'; `unused` has none. */
export const announcedNetwork = { cidr: "198.51.100.0/24", unused: "198.51.100.77" } as const;
/** The external address of the service without backends. */
export const emptyAddress = "198.51.100.8";
/** A load balancer's address, and the clients that may use it. */
export const guarded = { address: "198.51.100.9", clients: [outside.client1, "10.244.0.2"] } as const;

export const services: readonly ClusterService[] = [
  { name: "web", clusterIP: "10.96.0.10", nodePort: 30080, protocol: "TCP", backends: ["web", "web2", "web3"] },
  { name: "dns", clusterIP: "10.96.0.11", nodePort: 30081, protocol: "UDP", backends: ["open", "web2", "db"] },
  { name: "db", clusterIP: "10.96.0.12", nodePort: 30082, protocol: "TCP", backends: ["db"] },
  {
    ...{ name: "elsewhere", clusterIP: "10.96.0.13", nodePort: 30083, protocol: "TCP", backends: ["web2"] },
    spec: { externalTrafficPolicy: "Local" },
  },
  {
    ...{ name: "here", clusterIP: "10.96.0.14", nodePort: 30084, protocol: "TCP", backends: ["web", "web2"] },
    spec: { externalTrafficPolicy: "Local", internalTrafficPolicy: "Local" },
  },
  {
    ...{ name: "sticky", clusterIP: "10.96.0.15", nodePort: 30085, protocol: "UDP", backends: ["web", "web2"] },
    spec: { sessionAffinity: "ClientIP" },
  },
  { name: "host", clusterIP: "10.96.0.16", nodePort: 30086, protocol: "TCP", backends: ["master", "node"] },
  { name: "remote", clusterIP: "10.96.0.19", nodePort: 30089, protocol: "TCP", backends: ["web2"] },
  {
    name: "empty",
    clusterIP: "10.96.0.17",
    nodePort: 30087,
    protocol: "TCP",
    backends: [],
    spec: { externalIPs: [emptyAddress] },
  },
  {
    ...{ name: "external", clusterIP: "10.96.0.18", nodePort: 30088, protocol: "TCP", backends: ["web", "friend"] },
    spec: { externalIPs: [externalAddress] },
  },
  {
    ...{ name: "guarded", clusterIP: "10.96.0.20", nodePort: 30090, protocol: "UDP", backends: ["open", "web2"] },
    spec: { type: "LoadBalancer", loadBalancerSourceRanges: guarded.clients.map((address) => `${address}/32`) },
    balancer: guarded.address,
  },
  {
    ...{ name: "tunnel", clusterIP: "10.96.0.21", nodePort: 30091, protocol: "UDP", backends: ["node"] },
    targetPort: 4789,
  },
  {
    ...{ name: "direct", clusterIP: "10.96.0.22", nodePort: 30092, protocol: "TCP", backends: ["web2"] },
    annotations: { "ebpf-dataplane.io/return-mode": "DSR" },
  },
  {
    ...{ name: "entered", clusterIP: "10.96.0.23", nodePort: 30093, protocol: "UDP", backends: ["node"] },
    annotations: { "ebpf-dataplane.io/return-mode": "Tunnel" },
  },
  {
    ...{ name: "signal", clusterIP: "10.96.0.24", nodePort: 30080 },
    protocol: "SCTP",
    backends: ["open"],
    targetPort: 3868,
  },
  { name: "signals", clusterIP: "10.96.0.25", nodePort: 30081, protocol: "SCTP", backends: ["open"] },
  { name: "silent", clusterIP: "10.96.0.26", nodePort: 30082, protocol: "SCTP", backends: [] },
  {
    ...{ name: "distant", clusterIP: "10.96.0.27", nodePort: 30083 },
    protocol: "SCTP",
    backends: ["web2"],
    targetPort: 3868,
  },
  {
    ...{ name: "signalling", clusterIP: "10.96.0.28", nodePort: 30084 },
    protocol: "SCTP",
    backends: ["master"],
    targetPort: 3868,
  },
  {
    ...{ name: "signalling-there", clusterIP: "10.96.0.29", nodePort: 30085 },
    protocol: "SCTP",
    backends: ["node"],
    targetPort: 3868,
    spec: { externalTrafficPolicy: "Local" },
  },
  ...[
    { name: "steady", clusterIP: "10.96.0.30", nodePort: 30094, protocol: "TCP", backends: ["web2"] } as const,
    { name: "steady-here", clusterIP: "10.96.0.31", nodePort: 30095, protocol: "TCP", backends: ["web"] } as const,
    { name: "steady-udp", clusterIP: "10.96.0.32", nodePort: 30096, protocol: "UDP", backends: ["open"] } as const,
  ].map((service) => ({ ...service, annotations: { "ebpf-dataplane.io/backend-selection": "Maglev" } })),
];

/** Their backends are hosts outside the cluster. */
const outsideServices: readonly ClusterService[] = [
  { name: "outer", clusterIP: "10.96.0.33", nodePort: 30097, protocol: "TCP", backends: ["remote"] },
  { name: "outer-udp", clusterIP: "10.96.0.34", nodePort: 30098, protocol: "UDP", backends: ["remote"] },
  { name: "outer-second", clusterIP: "10.96.0.35", nodePort: 30099, protocol: "UDP", backends: ["beyond"] },
];

/** Clients outside may use the node itself, and those of other nodes, each at its own port. */
const localHostServices: readonly ClusterService[] = [
  { name: "host-here", clusterIP: "10.96.0.39", nodePort: 30103, protocol: "TCP" } as const,
  { name: "host-here-udp", clusterIP: "10.96.0.40", nodePort: 30104, protocol: "UDP" } as const,
].map((service) => ({ ...service, backends: ["master", "node"], spec: { externalTrafficPolicy: "Local" } }));

/** The backend is not here, and pods may use no other one; clients outside may. */
const insideService: ClusterService = {
  ...{ name: "inside", clusterIP: "10.96.0.36", nodePort: 30100, protocol: "TCP", backends: ["web2"] },
  spec: { internalTrafficPolicy: "Local" },
};

/** Labelled for another proxy, or for none. */
export const leftAloneServices = [
  { name: "headless", clusterIP: "10.96.0.37", nodePort: 30101, externalIP: "198.51.100.10" },
  { name: "service-proxy-name", clusterIP: "10.96.0.38", nodePort: 30102, externalIP: "198.51.100.11" },
] as const;

/** All that are served. */
export const servedServices: readonly ClusterService[] = [
  ...services,
  ...outsideServices,
  insideService,
  ...localHostServices,
];

/** All that the cluster has. */
const written: readonly ClusterService[] = [
  ...servedServices,
  ...leftAloneServices.map(
    ({ externalIP, ...service }): ClusterService => ({
      ...{ ...service, protocol: "TCP", backends: ["web"], spec: { externalIPs: [externalIP] } },
      labels: { [`service.kubernetes.io/${service.name}`]: "another" },
    }),
  ),
];

export function backendAddress(name: string): string {
  const machine = { ...nodes, ...outside, ...second }[name as keyof typeof nodes | keyof typeof outside];
  return pods.find((pod) => pod.name === name)?.address ?? machine;
}

/** How pods leave the cluster. */
export interface Egress {
  /** EgressGateways. */
  readonly gateways?: readonly object[];
  /** Egress address of the pool `plain`. */
  readonly poolAddress?: string;
}

/** Everything above as the API server would return it, by the agent's names of kinds. */
export function clusterObjects(
  encapsulation: Encapsulation = "VXLAN",
  { gateways = [], poolAddress }: Egress = {},
): Record<string, object[]> {
  const namespaced = { namespace: "default" };
  return {
    nodes: Object.entries(nodes).map(([name, address]) => ({
      metadata: { name, labels: { "kubernetes.io/hostname": name } },
      status: { addresses: [{ type: "InternalIP", address }] },
    })),
    namespaces: [{ metadata: { name: "default", labels: { "kubernetes.io/metadata.name": "default" } } }],
    pods: pods.map(({ name, labels, node, address }) => ({
      metadata: { name, ...namespaced, labels, uid: name },
      spec: { nodeName: node, containers: [{ ports: [{ containerPort: 80 }] }] },
      status: { phase: "Running", podIP: address, podIPs: [{ ip: address }] },
    })),
    services: written.map(
      ({ name, clusterIP, nodePort, protocol, spec, balancer, annotations, labels, targetPort = 80 }) => ({
        metadata: { name, ...namespaced, ...(annotations && { annotations }), ...(labels && { labels }) },
        ...(balancer && { status: { loadBalancer: { ingress: [{ ip: balancer }] } } }),
        spec: {
          ...{ type: "NodePort", clusterIP, clusterIPs: [clusterIP], ...spec },
          ports: [{ name: "web", protocol, port: 80, targetPort, nodePort }],
        },
      }),
    ),
    endpointSlices: written.map(({ name, protocol, backends, targetPort = 80 }) => ({
      metadata: { name: `${name}-1`, ...namespaced, labels: { "kubernetes.io/service-name": name } },
      addressType: "IPv4",
      ports: [{ name: "web", protocol, port: targetPort }],
      endpoints: backends.map((backend) => ({
        addresses: [backendAddress(backend)],
        nodeName: pods.find((pod) => pod.name === backend)?.node ?? (backend in nodes ? backend : undefined),
        conditions: { ready: true, serving: true, terminating: false },
      })),
    })),
    networkPolicies: policies.map((item) => ({ ...item })),
    bgpConfigurations: [
      { metadata: { name: "default" }, spec: { serviceExternalIPs: [{ cidr: announcedNetwork.cidr }] } },
    ],
    ipPools: [
      ipPool("overlay", { cidr: pools.overlay, ...always(encapsulation), natOutgoing: false }),
      ipPool("plain", { cidr: pools.plain, vxlanMode: "Never", natOutgoing: true }, poolAddress),
    ],
    egressGateways: [...gateways],
    ipamBlocks: [
      block("10.244.0.0/26", "master", "overlay"),
      block("10.244.1.0/26", "node", "overlay"),
      block("10.244.2.0/26", "far", "overlay"),
      block("10.245.0.0/26", "master", "plain"),
      block("10.245.1.0/26", "node", "plain"),
    ],
  };
}

function policy(name: string, spec: Policy["spec"]): Policy {
  return { metadata: { name, namespace: "default" }, spec };
}

function always(encapsulation: Encapsulation): object {
  return encapsulation === "IPIP" ? { ipipMode: "Always" } : { vxlanMode: "Always" };
}

function ipPool(name: string, spec: object, egressAddress?: string) {
  const annotations = egressAddress && { [POOL_EGRESS_ADDRESS]: egressAddress };
  return { metadata: { name, ...(annotations && { annotations }) }, spec: { blockSize: 26, ...spec } };
}

function block(cidr: string, node: string, pool: string) {
  return { metadata: { name: cidr.replaceAll(/[./]/g, "-") }, spec: { cidr, node, pool } };
}
