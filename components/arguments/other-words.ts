const PROTOCOLS = 'ports stand in "protocols"';
const NAMES = "not supported: the dataplane does not know the addresses of names";

/** Keys of Cilium's Helm values and of Calico's Installation and FelixConfiguration, with the keys that mean the same here. */
const meaning = (sentence: string, ...keys: string[]): Record<string, string> =>
  Object.fromEntries(keys.map((key) => [key, sentence]));

const PODS = "the agents' pods have exactly what the dataplane needs";
const OF_DATAPLANE = {
  volumes: PODS,
  extraVolumes: PODS,
  volumeMounts: PODS,
  hostNetwork: PODS,
  securityContext: PODS,
  priorityClass: 'its name is "priorityClassName"',
  ...meaning('who handles Services is "serviceHandling"', "kubeProxyReplacement", "kubeProxyMode"),
  ...meaning(
    'its address is "apiServer": { host, port }',
    "k8sServiceHost",
    "k8sServicePort",
    "kubernetesServiceEndpoint",
  ),
  ...meaning('pools stand in "ipPools", BGP in "bgp"', "calicoNetwork", "installation"),
  ...meaning(
    'how packets of pods travel is "vxlanMode" or "ipipMode" of each of "ipPools"',
    ...[
      "encapsulation",
      "routingMode",
      "tunnel",
      "tunnelProtocol",
      "vxlanMode",
      "ipipMode",
      "vxlanEnabled",
      "ipipEnabled",
    ],
  ),
  ...meaning('their networks stand in "ipPools": [{ cidr }]', "podSubnet", "podCIDR", "podCidr", "clusterCIDR", "cidr"),
  ...meaning(
    'families are those of "ipPools"; Services of IPv6 have "serviceSubnetIpv6"',
    ...["ipFamilies", "ipFamily", "ipv4", "ipv6", "dualStack", "podSubnetIpv6"],
  ),
  ...meaning('it is "encryption": "WireGuard"', "wireguard", "wireguardEnabled", "wireguardEnabledV6"),
  ...meaning("programs of eBPF are all there is", "bpf", "bpfEnabled", "ebpf", "linuxDataplane"),
  ...meaning('how replies return is "returnMode"', "dsr", "loadBalancerMode", "bpfExternalServiceMode"),
  ...meaning('it is "socketTranslation"', "socketLB", "bpfConnectTimeLoadBalancing"),
  ...meaning('they are "uplinks"', "devices", "interfaces", "bpfDataIfacePattern"),
  ...meaning('it is "logLevel"', "debug", "logSeverity", "logSeverityScreen", "bpfLogLevel"),
  ...meaning('flows are kept by "flowLog" or "flowLogsLocalReporter"', "hubble", "flowLogs"),
  ...meaning(
    'where they are served is "metricsAddress", who reads them "monitoring"',
    ...["metrics", "prometheus", "serviceMonitor", "podMonitor", "prometheusMetricsEnabled", "prometheusMetricsPort"],
  ),
};

const RULE_OF_CALICO = "a word of Calico's rules, which CalicoNetworkPolicy has; a rule here allows";
const OF_NETWORK_POLICY = {
  spec: "its fields stand here, beside the name",
  metadata: "name and namespace stand here",
  endpointSelector: 'it is "podSelector"',
  ...meaning("a word of Calico's policies, which CalicoNetworkPolicy has", "selector", "order", "tier", "types"),
};
const OF_RULE = {
  ...meaning('they are "ports": [{ port, protocol }]', "toPorts", "port", "protocol"),
  ...meaning(RULE_OF_CALICO, "action", "source", "destination"),
};
const CALICO_RULE = {
  ...meaning('ports stand in "source" or "destination"', "port", "ports"),
  ...meaning('it is "source"; of Kubernetes\' rules, NetworkPolicy has them', "from"),
  ...meaning('it is "destination"; of Kubernetes\' rules, NetworkPolicy has them', "to"),
  http: "not supported: policies look at addresses, protocols and ports",
};
const OF_CALICO_POLICY = meaning('it is a text, "selector": "app == \'db\'"', "podSelector", "endpointSelector");

/** Keys that people write instead of a type's own keys, where the spelling is too different for a suggestion, by type. */
export const OTHER_WORDS: Record<string, Record<string, string>> = {
  LocalCluster: {
    kubeProxyImage: 'whether nodes are given the image is "loadKubeProxyImage"',
    ...meaning('they stand in "machines": [{ name, role, address }]', "nodes", "workers", "controlPlanes", "clients"),
    ...meaning('networks are "podSubnet" and "serviceSubnet", families "ipFamilies"', "networking", "ipFamily"),
    extraPortMappings: "every address of the nodes is reached from this computer, and from machines of the role client",
  },
  AwsCluster: {
    instanceType: 'it is one of each of "machines"',
    ...meaning('they stand in "machines"', "nodes", "nodeCount", "workers", "workerCount", "desiredCapacity"),
    region: "it is the provider's: pulumi config set aws:region",
  },
  ClientMachines: meaning('they stand in "machines"', "count", "clients"),
  ExistingCluster: {
    context: "give a kubeconfig of that one: kubectl config view --raw --minify --context NAME",
    ...meaning('it is "kubeconfig", the content of the file', "kubeconfigPath", "kubeconfigFile"),
  },
  Dataplane: OF_DATAPLANE,
  IpPool: {
    encapsulation: 'it is "vxlanMode" or "ipipMode": Always or CrossSubnet',
    ...meaning('it is "natOutgoing"', "masquerade", "nat"),
  },
  NetworkPolicy: OF_NETWORK_POLICY,
  NetworkPolicyIngressRule: {
    ...OF_RULE,
    peers: 'sources are "from"',
    to: 'sources are "from"; "to" is a word of egress rules',
    ...meaning('it is "from": [{ podSelector, namespaceSelector }]', "fromEndpoints", "fromEntities"),
    ...meaning('it is "from": [{ ipBlock: { cidr } }]', "fromCIDR", "fromCIDRSet"),
  },
  NetworkPolicyEgressRule: {
    ...OF_RULE,
    peers: 'destinations are "to"',
    from: 'destinations are "to"; "from" is a word of ingress rules',
    ...meaning('it is "to": [{ podSelector, namespaceSelector }]', "toEndpoints", "toEntities", "toServices"),
    ...meaning('it is "to": [{ ipBlock: { cidr } }]', "toCIDR", "toCIDRSet"),
    toFQDNs: NAMES,
  },
  NetworkPolicyPeer: {
    ...meaning('it stands in "ipBlock"', "cidr", "except"),
    ...meaning('it stands in "podSelector" or "namespaceSelector"', "matchLabels", "matchExpressions"),
    dnsName: NAMES,
  },
  CalicoNetworkPolicy: OF_CALICO_POLICY,
  GlobalNetworkPolicy: {
    ...OF_CALICO_POLICY,
    namespace: 'it holds in every namespace, but for "namespaceSelector"; CalicoNetworkPolicy is one of a namespace',
  },
  PolicyRule: CALICO_RULE,
  EntityRule: { domains: NAMES, ...meaning('they are "nets"', "cidr", "cidrs", "ipBlock", "net") },
  GlobalNetworkSet: { allowedEgressDomains: NAMES },
  NetworkSet: { allowedEgressDomains: NAMES },
  HostEndpoint: { nodeName: 'it is "node"' },
  EgressGateway: {
    ...meaning('they are "addresses"', "egressIP", "egressIPs"),
    selectors: 'they are "podSelector" and "namespaceSelector"',
    destinationCIDRs: 'they are "destinations"',
    excludedCIDRs: 'they are "exceptions"',
    egressGateway: 'its nodes are "nodeSelector"',
  },
  UpdateStrategy: { type: "agents are always replaced by a RollingUpdate" },
  RollingUpdate: { maxSurge: "two agents on one node are not possible" },
  Toleration: { tolerationSeconds: "agents are not evicted after a time" },
  Affinity: {
    podAffinity: "every node that fits gets one agent, whatever other pods it has",
    podAntiAffinity: "every node that fits gets one agent, whatever other pods it has",
  },
  NodeAffinity: {
    preferredDuringSchedulingIgnoredDuringExecution:
      "every node that fits gets an agent, so there is nothing to prefer",
  },
  NodeSelectorTerm: { matchFields: "nodes are chosen by their labels" },
  ClusterPolicyIngressRule: { to: 'sources are "from"; "to" is a word of egress rules', ports: PROTOCOLS },
  ClusterPolicyEgressRule: { from: 'destinations are "to"; "from" is a word of ingress rules', ports: PROTOCOLS },
  ClusterPolicyEgressPeer: { domainNames: NAMES },
};

const OF_OBJECTS = {
  spec: "its fields stand here, beside the name",
  metadata: "what there is of name, namespace and labels stands here",
  status: "the cluster writes it, not a program",
};
const OBJECTS = new Set([
  "CalicoNetworkPolicy",
  "GlobalNetworkPolicy",
  "Tier",
  "HostEndpoint",
  "NetworkSet",
  "GlobalNetworkSet",
  "IpPool",
  "IpReservation",
  "StagedNetworkPolicy",
  "StagedGlobalNetworkPolicy",
  "StagedKubernetesNetworkPolicy",
  "KubeControllersConfiguration",
  "ClusterNetworkPolicy",
  "BgpConfiguration",
  "BgpPeer",
  "BgpFilter",
  "EgressGateway",
]);

/** Keys for which the answer is the same in every type. */
const EVERYWHERE = {
  ...meaning("a component is an object of one kind, and has its fields alone", "apiVersion", "kind"),
  enabled: "what is written is on; leave it out to have it off",
};

/** The text that says what to write instead of a key; undefined if there is no special text. */
export function otherWord(type: string, key: string): string | undefined {
  if (type === "LabelSelector" && !/^match/i.test(key)) return `labels stand in matchLabels: { "${key}": … }`;
  const name = type.replace(/Spec$/, "").replace(/^Staged(?!Kubernetes)/, "");
  const ofObjects = OBJECTS.has(type.replace(/Spec$/, "")) ? OF_OBJECTS : {};
  const words: Record<string, string> = {
    ...EVERYWHERE,
    ...ofObjects,
    ...OTHER_WORDS[name === "NetworkPolicy" && type.startsWith("Staged") ? "CalicoNetworkPolicy" : name],
  };
  return Object.hasOwn(words, key) ? words[key] : undefined;
}
