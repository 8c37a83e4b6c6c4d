import type { z } from "zod";
import { felixConfiguration, ipamBlock, ipPool } from "./calico.ts";
import { namespace, node, pod, service } from "./core.ts";
import { endpointSlice } from "./discovery.ts";
import type { KindName } from "./kinds.ts";
import type { KubernetesObject } from "./metadata.ts";
import { networkPolicy } from "./networking.ts";
import { unsupported } from "./unsupported.ts";

/** What each kind's objects must look like, and what of them is kept. */
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
  hostEndpoints: unsupported,
} as const satisfies Record<KindName, z.ZodType<KubernetesObject>>;
