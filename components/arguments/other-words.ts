const PROTOCOLS = 'ports stand in "protocols"';

const PODS = "the agents' pods have exactly what the dataplane needs";
const OF_DATAPLANE = {
  volumes: PODS,
  extraVolumes: PODS,
  volumeMounts: PODS,
  hostNetwork: PODS,
  securityContext: PODS,
  priorityClass: 'its name is "priorityClassName"',
};

/** Keys that people write for ones that a type has, where no likeness of letters would tell, by type. */
const OTHER_WORDS: Record<string, Record<string, string>> = {
  LocalCluster: {
    kubeProxyImage: 'whether nodes are given the image is "loadKubeProxyImage"',
  },
  Dataplane: OF_DATAPLANE,
  NetworkPolicy: {
    spec: "its fields stand here, beside the name",
    metadata: "name and namespace stand here",
  },
  NetworkPolicyIngressRule: {
    peers: 'sources are "from"',
    to: 'sources are "from"; "to" is a word of egress rules',
  },
  NetworkPolicyEgressRule: {
    peers: 'destinations are "to"',
    from: 'destinations are "to"; "from" is a word of ingress rules',
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
  ClusterPolicyEgressPeer: { domainNames: "not supported: the dataplane does not know the addresses of names" },
};

const OF_OBJECTS = {
  spec: "its fields stand here, beside the name",
  metadata: "name, namespace and labels stand here",
  status: "the cluster writes it, not a program",
};
const OBJECTS = new Set([
  "CalicoNetworkPolicy",
  "GlobalNetworkPolicy",
  "Tier",
  "HostEndpoint",
  "NetworkSet",
  "GlobalNetworkSet",
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

/** What to write instead of a key; undefined where nothing special is known. */
export function otherWord(type: string, key: string): string | undefined {
  if (type === "LabelSelector" && !/^match/i.test(key)) return `labels stand in matchLabels: { "${key}": … }`;
  if (OBJECTS.has(type.replace(/Spec$/, "")) && Object.hasOwn(OF_OBJECTS, key)) return OF_OBJECTS[key as "spec"];
  const words = OTHER_WORDS[type.replace(/^(NetworkPolicy|Dataplane)Spec$/, "$1")] ?? {};
  return Object.hasOwn(words, key) ? words[key] : undefined;
}
