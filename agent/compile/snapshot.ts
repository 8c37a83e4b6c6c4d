import type { NodeFacts as Facts } from "../../model/node/facts.ts";
import type { FelixConfiguration, IpamBlock, IpPool } from "../../model/objects/calico.ts";
import type { Namespace, Node, Pod, Service } from "../../model/objects/core.ts";
import type { EndpointSlice } from "../../model/objects/discovery.ts";
import type { NetworkPolicy } from "../../model/objects/networking.ts";
import type { PlacedPodName } from "../../model/objects/pod-of.ts";

/** The same, with facts that only the maps need. */
export interface NodeFacts extends Facts {
  readonly uplinkIfindex: number;
  /** 0: there is none. */
  readonly tunnelIfindex: number;
  /** Makes the numbers of identities and policies unpredictable for users, who compose their content (ids.ts). */
  readonly salt?: string;
  /** Cookie of this node's own network namespace, decimal; absent if the kernel does not report it. */
  readonly namespaceCookie?: string | undefined;
}

/** A workload's interface on this node, as created by CNI. */
export interface LocalEndpoint extends PlacedPodName {
  /** Host side of the veth pair. */
  readonly ifindex: number;
  /** Inside the pod. */
  readonly mac: string;
  readonly hostMac: string;
  /** Cookie of the pod's network namespace, decimal; absent where that is gone. */
  readonly namespaceCookie?: string | undefined;
}

/** The cluster at one moment. An object that did not change is the very same object in the next snapshot. */
export interface ClusterSnapshot {
  readonly facts: NodeFacts;
  readonly endpoints: readonly LocalEndpoint[];
  readonly nodes: readonly Node[];
  readonly namespaces: readonly Namespace[];
  readonly pods: readonly Pod[];
  readonly services: readonly Service[];
  readonly endpointSlices: readonly EndpointSlice[];
  readonly networkPolicies: readonly NetworkPolicy[];
  readonly ipPools: readonly IpPool[];
  readonly ipamBlocks: readonly IpamBlock[];
  readonly felixConfigurations: readonly FelixConfiguration[];
}
