import type { z } from "zod";
import { felixConfiguration, ipamBlock, ipPool } from "./calico.ts";
import { namespace, node, pod, service, serviceAccount } from "./core.ts";
import { endpointSlice } from "./discovery.ts";
import type { KindName } from "./kinds.ts";
import type { KubernetesObject } from "./metadata.ts";
import { networkPolicy } from "./networking.ts";
import { unsupported } from "./unsupported.ts";

/** What each kind's objects must look like, and what of them is kept. A kind that nothing follows yet has the schema `unsupported`. */
export const schemas = {
  nodes: node,
  namespaces: namespace,
  pods: pod,
  services: service,
  endpointSlices: endpointSlice,
  networkPolicies: networkPolicy,
  ipPools: ipPool,
  ipamBlocks: ipamBlock,
  felixConfigurations: felixConfiguration,
  calicoNetworkPolicies: unsupported,
  globalNetworkPolicies: unsupported,
  tiers: unsupported,
  hostEndpoints: unsupported,
  networkSets: unsupported,
  globalNetworkSets: unsupported,
  stagedNetworkPolicies: unsupported,
  stagedGlobalNetworkPolicies: unsupported,
  stagedKubernetesNetworkPolicies: unsupported,
  kubeControllersConfigurations: unsupported,
  clusterNetworkPolicies: unsupported,
  serviceAccounts: serviceAccount,
} as const satisfies Record<KindName, z.ZodType<KubernetesObject>>;
