// The Kubernetes objects of the datapath tests, as short as the tests that use them.
import { networkOf, type Placed } from "./placed.ts";

export interface KubernetesObject {
  apiVersion: string;
  kind: string;
  metadata: { name: string; namespace?: string; [field: string]: unknown };
  [field: string]: unknown;
}

export const nodes = { master: "172.31.1.8", node: "172.31.1.207" } as const;
export const clients = { client1: "172.31.1.55", client2: "172.31.1.162" } as const;
/** The same machines' IPv6 addresses, which every lab gives them. */
export const nodesIpv6 = { master: "fd00:172:31:1::8", node: "fd00:172:31:1::207" } as const;
export const clientsIpv6 = { client1: "fd00:172:31:1::55", client2: "fd00:172:31:1::162" } as const;
/** The same addresses in two subnets, with a router and a smaller link between the nodes. */
export const routedSubnets = [
  { name: "west", cidr: "172.31.1.0/25" },
  { name: "east", cidr: "172.31.1.128/25", cidrIpv6: "fd00:172:31:2::/64", link: { mtu: 1400 } },
];
export const routedNodeIpv6 = "fd00:172:31:2::207";
export type NodeName = keyof typeof nodes;
export type ClientName = keyof typeof clients;

const named = (name: string, namespace?: string, rest = {}) => ({ name, ...(namespace && { namespace }), ...rest });

/** The address families that machines, pods and services have. */
export type Stack = "IPv4" | "IPv6" | "dual";

export const node = (
  name: NodeName,
  zone?: string,
  stack: Stack = "IPv4",
  addressIpv6: string = nodesIpv6[name],
): KubernetesObject => ({
  apiVersion: "v1",
  kind: "Node",
  metadata: named(name, undefined, {
    labels: { "kubernetes.io/hostname": name, ...(zone && { "topology.kubernetes.io/zone": zone }) },
  }),
  status: {
    addresses: [
      ...(stack === "IPv6" ? [] : [{ type: "InternalIP", address: nodes[name] }]),
      ...(stack === "IPv4" ? [] : [{ type: "InternalIP", address: addressIpv6 }]),
    ],
  },
});

export const namespace = (name: string): KubernetesObject => ({
  apiVersion: "v1",
  kind: "Namespace",
  metadata: named(name, undefined, { labels: { "kubernetes.io/metadata.name": name } }),
});

export const pool = (vxlanMode: string, ipipMode = "Never"): KubernetesObject => ({
  apiVersion: "projectcalico.org/v3",
  kind: "IPPool",
  metadata: named("default-ipv4-ippool"),
  spec: { cidr: "10.244.0.0/16", blockSize: 26, vxlanMode, ipipMode, natOutgoing: false },
});

export const poolIpv6 = (vxlanMode: string): KubernetesObject => ({
  apiVersion: "projectcalico.org/v3",
  kind: "IPPool",
  metadata: named("default-ipv6-ippool"),
  spec: { cidr: "fd00:10:244::/56", blockSize: 122, vxlanMode, natOutgoing: false },
});

/** Of pods with the label `app`. */
export const egressGateway = (app: string, node: NodeName): KubernetesObject => ({
  apiVersion: "ebpf-dataplane.io/v1alpha1",
  kind: "EgressGateway",
  metadata: named(app),
  spec: { podSelector: `app == '${app}'`, nodeSelector: `kubernetes.io/hostname == '${node}'` },
});

/** A block that its node holds from the start. */
export const block = (cidr: string, node: NodeName): KubernetesObject => ({
  apiVersion: "ebpf-dataplane.io/v1alpha1",
  kind: "IPAMBlock",
  metadata: named(cidr.replaceAll(/[.:/]/g, "-")),
  spec: { cidr, node, pool: cidr.includes(":") ? "default-ipv6-ippool" : "default-ipv4-ippool" },
});

export const felix = (annotations: Record<string, string>, spec: Record<string, unknown> = {}): KubernetesObject => ({
  apiVersion: "projectcalico.org/v3",
  kind: "FelixConfiguration",
  metadata: named("default", undefined, { annotations }),
  spec,
});

export const returnMode = (mode: "DSR" | "Tunnel"): KubernetesObject => felix({}, { bpfExternalServiceMode: mode });

const WEB = [{ name: "web", containerPort: 80 }];

export const pod = (placed: Placed): KubernetesObject => {
  const { name, namespace = "default", labels, annotations = {}, node, address, addressIpv6 } = placed;
  const { ports = WEB, serviceAccount } = placed;
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: named(name, namespace, { labels, annotations, uid: networkOf(placed) }),
    spec: {
      nodeName: node,
      ...(serviceAccount !== undefined && { serviceAccountName: serviceAccount }),
      containers: [{ name: "server", ports }],
    },
    status: address
      ? { phase: "Running", podIP: address, podIPs: [address, addressIpv6].flatMap((ip) => (ip ? [{ ip }] : [])) }
      : { phase: "Pending" },
  };
};

interface Exposed {
  clusterIP: string;
  /** Of a service of both families. */
  clusterIPv6?: string;
  nodePort: number;
  protocol?: "TCP" | "UDP" | "SCTP";
  spec?: Record<string, unknown>;
}

export const service = (
  name: string,
  { clusterIP, clusterIPv6, nodePort, protocol = "TCP", spec }: Exposed,
): KubernetesObject => ({
  apiVersion: "v1",
  kind: "Service",
  metadata: named(name, "default"),
  spec: {
    type: "NodePort",
    clusterIP,
    clusterIPs: [clusterIP, ...(clusterIPv6 ? [clusterIPv6] : [])],
    ...(clusterIPv6 && { ipFamilies: ["IPv4", "IPv6"], ipFamilyPolicy: "RequireDualStack" }),
    ports: [{ name: "web", protocol, port: 80, targetPort: 80, nodePort }],
    ...spec,
  },
});

export const endpoints = (name: string, backends: readonly Backend[], protocol = "TCP"): KubernetesObject => ({
  apiVersion: "discovery.k8s.io/v1",
  kind: "EndpointSlice",
  metadata: named(`${name}-1`, "default", { labels: { "kubernetes.io/service-name": name } }),
  addressType: "IPv4",
  ports: [{ name: "web", protocol, port: 80 }],
  endpoints: backends.map(({ address, node, terminating = false, zones, hintedNodes }) => ({
    addresses: [address],
    nodeName: node,
    ...((zones || hintedNodes) && { hints: { forZones: hint(zones), forNodes: hint(hintedNodes) } }),
    conditions: { ready: !terminating, serving: true, terminating },
  })),
});

export interface Backend {
  address: string;
  node: string;
  terminating?: boolean;
  /** Of hints, in `forZones` and `forNodes`. */
  zones?: string[];
  hintedNodes?: string[];
}

const hint = (names: readonly string[] = []) => names.map((name) => ({ name }));

/** The slice of a service's IPv6 backends. */
export const endpointsIpv6 = (name: string, pods: readonly Placed[], protocol = "TCP"): KubernetesObject => {
  const slice = endpoints(
    name,
    pods.map(({ addressIpv6 = "", node }) => ({ address: addressIpv6, node })),
    protocol,
  );
  return { ...slice, metadata: { ...slice.metadata, name: `${name}-6` }, addressType: "IPv6" };
};

/** Only these CIDRs may reach port 80 of the pods with this label. */
export const onlyFrom = (app: string, ...cidrs: string[]): KubernetesObject =>
  onlyAt(app, { protocol: "TCP", port: 80 }, cidrs);

export const onlyAt = (
  app: string,
  port: { protocol: string; port: number },
  cidrs: readonly string[],
): KubernetesObject => ({
  apiVersion: "networking.k8s.io/v1",
  kind: "NetworkPolicy",
  metadata: named(`only-${app}`, "default"),
  spec: {
    podSelector: { matchLabels: { app } },
    policyTypes: ["Ingress"],
    ingress: [{ from: cidrs.map((cidr) => ({ ipBlock: { cidr } })), ports: [port] }],
  },
});
