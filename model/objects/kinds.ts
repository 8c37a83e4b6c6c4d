// Every kind of object that the dataplane reads. Components import this file, so it uses no package that the npm package does not depend on.

export interface Kind {
  /** API group; "" is Kubernetes' core. */
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  /** Name of the resource in the API's paths and in RBAC rules. */
  readonly plural: string;
  readonly namespaced: boolean;
  /** Its definition may not be installed: then there are no objects. */
  readonly optional: boolean;
}

const CALICO = { group: "projectcalico.org", version: "v3", optional: true } as const;
const CORE = { group: "", version: "v1", optional: false } as const;

/** By the name of their field in a snapshot of the cluster. Some are read only to be reported (unsupported.ts). */
export const kinds = {
  nodes: { ...CORE, kind: "Node", plural: "nodes", namespaced: false },
  namespaces: { ...CORE, kind: "Namespace", plural: "namespaces", namespaced: false },
  pods: { ...CORE, kind: "Pod", plural: "pods", namespaced: true },
  services: { ...CORE, kind: "Service", plural: "services", namespaced: true },
  endpointSlices: {
    group: "discovery.k8s.io",
    version: "v1",
    kind: "EndpointSlice",
    plural: "endpointslices",
    namespaced: true,
    optional: false,
  },
  networkPolicies: {
    group: "networking.k8s.io",
    version: "v1",
    kind: "NetworkPolicy",
    plural: "networkpolicies",
    namespaced: true,
    optional: false,
  },
  ipPools: { ...CALICO, kind: "IPPool", plural: "ippools", namespaced: false },
  ipReservations: { ...CALICO, kind: "IPReservation", plural: "ipreservations", namespaced: false },
  ipamBlocks: {
    group: "ebpf-dataplane.io",
    version: "v1alpha1",
    kind: "IPAMBlock",
    plural: "ipamblocks",
    namespaced: false,
    optional: true,
  },
  egressGateways: {
    group: "ebpf-dataplane.io",
    version: "v1alpha1",
    kind: "EgressGateway",
    plural: "egressgateways",
    namespaced: false,
    optional: true,
  },
  felixConfigurations: { ...CALICO, kind: "FelixConfiguration", plural: "felixconfigurations", namespaced: false },
  calicoNetworkPolicies: { ...CALICO, kind: "NetworkPolicy", plural: "networkpolicies", namespaced: true },
  globalNetworkPolicies: { ...CALICO, kind: "GlobalNetworkPolicy", plural: "globalnetworkpolicies", namespaced: false },
  tiers: { ...CALICO, kind: "Tier", plural: "tiers", namespaced: false },
  hostEndpoints: { ...CALICO, kind: "HostEndpoint", plural: "hostendpoints", namespaced: false },
  networkSets: { ...CALICO, kind: "NetworkSet", plural: "networksets", namespaced: true },
  globalNetworkSets: { ...CALICO, kind: "GlobalNetworkSet", plural: "globalnetworksets", namespaced: false },
  stagedNetworkPolicies: { ...CALICO, kind: "StagedNetworkPolicy", plural: "stagednetworkpolicies", namespaced: true },
  stagedGlobalNetworkPolicies: {
    ...CALICO,
    kind: "StagedGlobalNetworkPolicy",
    plural: "stagedglobalnetworkpolicies",
    namespaced: false,
  },
  stagedKubernetesNetworkPolicies: {
    ...CALICO,
    kind: "StagedKubernetesNetworkPolicy",
    plural: "stagedkubernetesnetworkpolicies",
    namespaced: true,
  },
  kubeControllersConfigurations: {
    ...CALICO,
    kind: "KubeControllersConfiguration",
    plural: "kubecontrollersconfigurations",
    namespaced: false,
  },
  bgpConfigurations: { ...CALICO, kind: "BGPConfiguration", plural: "bgpconfigurations", namespaced: false },
  bgpPeers: { ...CALICO, kind: "BGPPeer", plural: "bgppeers", namespaced: false },
  bgpFilters: { ...CALICO, kind: "BGPFilter", plural: "bgpfilters", namespaced: false },
  clusterNetworkPolicies: {
    group: "policy.networking.k8s.io",
    version: "v1alpha2",
    kind: "ClusterNetworkPolicy",
    plural: "clusternetworkpolicies",
    namespaced: false,
    optional: true,
  },
  serviceAccounts: { ...CORE, kind: "ServiceAccount", plural: "serviceaccounts", namespaced: true },
} as const satisfies Record<string, Kind>;

export type KindName = keyof typeof kinds;
export const kindNames = Object.keys(kinds) as readonly KindName[];

/** "v1", "discovery.k8s.io/v1" */
export function apiVersionOf({ group, version }: Pick<Kind, "group" | "version">): string {
  return group ? `${group}/${version}` : version;
}

/** Where the API server keeps the kind: "/api/v1/pods", "/apis/discovery.k8s.io/v1/endpointslices". */
export function resourcePath(kind: Pick<Kind, "group" | "version" | "plural">): string {
  return `/${kind.group ? "apis" : "api"}/${apiVersionOf(kind)}/${kind.plural}`;
}

/** Group and version of the kinds shared with Calico. */
export const CALICO_API = apiVersionOf(CALICO);

/** The group of a kind that shares its name with one of Kubernetes': its objects are told apart by it (Problem). */
export function tellingGroup({ kind, group, optional }: Kind): string | undefined {
  const namesakes = kindNames.filter((name) => kinds[name].kind === kind);
  return optional && namesakes.length > 1 ? group : undefined;
}

/** Whether the kind is another project's, who may have defined it in the cluster. */
export function isShared({ group }: Pick<Kind, "group">): boolean {
  return group !== kinds.ipamBlocks.group;
}
