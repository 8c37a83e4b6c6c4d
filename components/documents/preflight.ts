import { z } from "zod";
import { returnModeWords } from "../../model/mode/mode.ts";
import { anyUnicastCidrRule, serviceNetworkIpv6Rule, serviceNetworkRule } from "../rules/addresses.ts";
import { clusterIdRule } from "../rules/names.ts";
import { MTU, POD_NETWORK, SERVICE_NETWORK } from "./defaults.ts";
import { ruled } from "./ruled.ts";

/** Input of `cluster preflight`: the part of the planned declaration that can conflict with the cluster. */
export const preflightSchema = z.strictObject({
  /** The API server's address for agents. */
  apiServer: z.strictObject({ host: z.string().min(1), port: z.int().min(1).max(65535) }).optional(),
  /** The agent's image, which also checks the nodes. */
  image: z.string().min(1).optional(),
  returnMode: z.enum(returnModeWords).default("dsr"),
  /** Networks of the pods. */
  podCidrs: z.array(ruled(anyUnicastCidrRule)).default([POD_NETWORK]),
  /** Where pods' addresses come from. */
  ipam: z.enum(["Pools", "HostLocal"]).default("Pools"),
  /** Whether packets between nodes are to be encrypted. */
  encryption: z.enum(["None", "WireGuard"]).default("None"),
  serviceSubnet: ruled(serviceNetworkRule).default(SERVICE_NETWORK),
  serviceSubnetIpv6: ruled(serviceNetworkIpv6Rule).optional(),
  /** By which nodes pods leave the cluster that do not leave it by their own. */
  egressGateways: z
    .array(z.strictObject({ name: z.string(), nodeSelector: z.string(), addresses: z.array(z.string()).default([]) }))
    .default([]),
  /** Namespace of the agents. */
  namespace: z.string().min(1).default("ebpf-dataplane"),
  /** Whether the dataplane makes it. */
  createNamespace: z.boolean().default(true),
  /** Labels of the nodes that get agents. */
  nodeSelector: z.record(z.string(), z.string()).default({}),
  /** At least one of these holds of them; absent: nothing is asked. */
  nodeSelectorTerms: z
    .array(
      z.strictObject({
        matchExpressions: z.array(
          z.strictObject({
            key: z.string(),
            operator: z.enum(["In", "NotIn", "Exists", "DoesNotExist", "Gt", "Lt"]),
            values: z.array(z.string()).optional(),
          }),
        ),
      }),
    )
    .optional(),
  /** Taints that do not keep agents away; absent: none does. */
  tolerations: z
    .array(
      z.strictObject({
        key: z.string().optional(),
        operator: z.enum(["Equal", "Exists"]).optional(),
        value: z.string().optional(),
        effect: z.enum(["NoSchedule", "PreferNoSchedule", "NoExecute"]).optional(),
      }),
    )
    .optional(),
  /** Secrets of kube-system with which nodes pull the image. */
  imagePullSecrets: z.array(z.strictObject({ name: z.string() })).optional(),
  mtu: z.int().min(MTU.least).max(MTU.most).optional(),
  /** Whether the dataplane makes the definition of ClusterNetworkPolicy. */
  clusterNetworkPolicyDefinition: z.boolean().default(true),
  /** Definitions of others that the dataplane has objects of: `podmonitors.monitoring.coreos.com`. */
  neededDefinitions: z.array(z.string()).default([]),
  /** How to handle an existing kube-proxy. */
  existingKubeProxy: z.enum(["refuse", "remove"]).default("refuse"),
  /** How to handle another network plugin. */
  otherNetworkPlugin: z.enum(["refuse", "accept"]).default("refuse"),
  /** The expected cluster; any other is refused. */
  clusterId: ruled(clusterIdRule).optional(),
  /** Whether a short-lived pod checks each node. */
  probeNodes: z.boolean().default(true),
  /** Timeout for those pods, including the image pull, seconds. */
  seconds: z.number().default(120),
});
export type PreflightPlan = z.output<typeof preflightSchema>;

/** A result of a preflight check. */
export interface PreflightFinding {
  /** "ok", "warning" or "refused". */
  severity: string;
  /** The subject of the check. */
  check: string;
  /** Names of the nodes concerned; empty: the cluster. */
  nodes: string[];
  /** What was found. */
  found: string;
  /** The next step; absent if there is none. */
  next?: string;
}

/** Output of `cluster preflight`. */
export interface PreflightResult {
  /** The cluster's identity: the UID of its namespace kube-system. */
  clusterId: string;
  /** Release of Kubernetes. */
  version: string;
  nodes: { name: string; address: string }[];
  findings: PreflightFinding[];
  /** Number of findings that block the dataplane. */
  refused: number;
}
