/**
 * What the `Dataplane` component tells every node agent: the document under the key `settings.json` of the
 * ConfigMap `ebpf-dataplane`. The agent imports this type; anything that may change while traffic flows (return mode, IP
 * pools, policies) is a Kubernetes object instead.
 */
export interface AgentSettings {
  /** Least severe messages the agent logs. */
  logLevel: "debug" | "info" | "warn" | "error";
  /** CIDR that the cluster's Service addresses come from. */
  serviceSubnet: string;
  /** Largest packet, in bytes, that the network between the nodes carries. Absent: taken from the node's uplink. */
  mtu?: number;
  /** Names of the interfaces that face other nodes and clients. Absent: those with the node's addresses. */
  uplinks?: string[];
}

/** Key of the settings document in the agent's ConfigMap, and its file name in the agent's container. */
export const SETTINGS_FILE = "settings.json";

/** Where the ConfigMap is mounted in the agent's container. */
export const SETTINGS_DIRECTORY = "/etc/ebpf-dataplane";
