import type { z } from "zod";
import { felixConfiguration, ipamBlock, ipPool } from "../../model/objects/calico.ts";
import { namespace, node, pod, service } from "../../model/objects/core.ts";
import { endpointSlice } from "../../model/objects/discovery.ts";
import type { KubernetesObject } from "../../model/objects/metadata.ts";
import { networkPolicy } from "../../model/objects/networking.ts";
import { unsupported } from "../../model/objects/unsupported.ts";
import { closedPolicy } from "./closed-policy.ts";
import { readableConfiguration } from "./readable-configuration.ts";

/** One kind of object the agent reads. */
export interface Kind<T extends KubernetesObject = KubernetesObject> {
  readonly kind: string;
  readonly apiVersion: string;
  readonly plural: string;
  readonly namespaced: boolean;
  readonly schema: z.ZodType<T>;
  /** Its definition may not be installed: then there are none. */
  readonly optional: boolean;
  /** What stands in for an object that cannot be read and has no good version before. */
  readonly substitute?: (object: unknown) => T | undefined;
  /** What can be read of an object that cannot be read as a whole; `known`: its last good version. Goes before both. */
  readonly readable?: (object: unknown, known: unknown) => T | undefined;
  /** What is done instead, in words. */
  readonly instead?: string;
}

function kind<T extends KubernetesObject>(
  apiVersion: string,
  name: string,
  plural: string,
  schema: z.ZodType<T>,
  more: Partial<Kind<T>> = {},
): Kind<T> {
  return { kind: name, apiVersion, plural, schema, namespaced: true, optional: false, ...more };
}

const CALICO = "projectcalico.org/v3";

/** By the name of their field in the snapshot. The last three are read only to say that they are not supported yet. */
export const kinds = {
  nodes: kind("v1", "Node", "nodes", node, { namespaced: false }),
  namespaces: kind("v1", "Namespace", "namespaces", namespace, { namespaced: false }),
  pods: kind("v1", "Pod", "pods", pod),
  services: kind("v1", "Service", "services", service),
  endpointSlices: kind("discovery.k8s.io/v1", "EndpointSlice", "endpointslices", endpointSlice),
  networkPolicies: kind("networking.k8s.io/v1", "NetworkPolicy", "networkpolicies", networkPolicy, {
    substitute: closedPolicy,
    instead: "it isolates its pods and allows nothing until it is mended",
  }),
  ipPools: kind(CALICO, "IPPool", "ippools", ipPool, { namespaced: false, optional: true }),
  ipamBlocks: kind("ebpf-dataplane.io/v1alpha1", "IPAMBlock", "ipamblocks", ipamBlock, {
    namespaced: false,
    optional: true,
  }),
  felixConfigurations: kind(CALICO, "FelixConfiguration", "felixconfigurations", felixConfiguration, {
    namespaced: false,
    optional: true,
    readable: readableConfiguration,
    instead: "the other fields are in force, and this one keeps its last good value until it is mended",
  }),
  calicoNetworkPolicies: kind(CALICO, "NetworkPolicy", "networkpolicies", unsupported, { optional: true }),
  globalNetworkPolicies: kind(CALICO, "GlobalNetworkPolicy", "globalnetworkpolicies", unsupported, {
    namespaced: false,
    optional: true,
  }),
  hostEndpoints: kind(CALICO, "HostEndpoint", "hostendpoints", unsupported, { namespaced: false, optional: true }),
} as const;

export type KindName = keyof typeof kinds;
export const kindNames = Object.keys(kinds) as readonly KindName[];

/** Where the API server keeps the kind: "/api/v1/pods", "/apis/discovery.k8s.io/v1/endpointslices". */
export function resourcePath({ apiVersion, plural }: Kind): string {
  return `${apiVersion.includes("/") ? "/apis" : "/api"}/${apiVersion}/${plural}`;
}
