import { z } from "zod";
import { serviceNetworkIpv6Rule, serviceNetworkRule } from "../rules/addresses.ts";
import { interfaceRule, labelRule } from "../rules/names.ts";
import { MTU, SERVICE_NETWORK, SERVICE_SERIES } from "./defaults.ts";
import { ruled } from "./ruled.ts";

/**
 * What the `Dataplane` component tells every node agent: the document under the key `settings.json` of the ConfigMap `ebpf-dataplane`.
 * What may change while traffic flows (return mode, IP pools, policies) is a Kubernetes object instead.
 */
export const agentSettingsSchema = z.strictObject({
  /** Least severe messages the agent logs. */
  logLevel: z.enum(["debug", "info", "warn", "error"]).default("info"),
  /** CIDR that the cluster's Service addresses come from. */
  serviceSubnet: ruled(serviceNetworkRule).default(SERVICE_NETWORK),
  /** The same for IPv6 addresses, in a dual-stack cluster. */
  serviceSubnetIpv6: ruled(serviceNetworkIpv6Rule).optional(),
  /** Largest packet, in bytes, that the network between the nodes carries. Absent: taken from the node's uplink. */
  mtu: z.int().min(MTU.least).max(MTU.most).optional(),
  /** Where pods' addresses come from: blocks of IP pools, or those within `spec.podCIDRs` of the node. */
  ipam: z.enum(["Pools", "HostLocal"]).default("Pools"),
  /** Whether agents assign and announce load balancer addresses. */
  loadBalancer: z.boolean().default(false),
  /** Metrics with the names of services. Absent: there are none. */
  serviceMetrics: z
    .strictObject({
      /** Whose services have series of their own. Absent: those of all namespaces. */
      namespaces: z
        .array(ruled((name) => labelRule(name)))
        .min(1)
        .optional(),
      /** How many services do. */
      limit: z.int().min(SERVICE_SERIES.least).max(SERVICE_SERIES.most).default(SERVICE_SERIES.usual),
    })
    .optional(),
  /** Names of the interfaces that face other nodes and clients. Absent: those with the node's addresses. */
  uplinks: z.array(ruled(interfaceRule)).optional(),
});

/** The document as it is written: what has a default may be left out. */
export type AgentSettings = z.input<typeof agentSettingsSchema>;

/** Key of the settings document in the agent's ConfigMap, and its file name in the agent's container. */
export const SETTINGS_FILE = "settings.json";

/** Where the ConfigMap is mounted in the agent's container. */
export const SETTINGS_DIRECTORY = "/etc/ebpf-dataplane";
