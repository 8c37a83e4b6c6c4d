import type { Address } from "../../model/address/address.ts";
import type { FelixConfiguration, IpamBlock, IpPool } from "../../model/objects/calico.ts";
import type { Namespace, Node, Pod, Service } from "../../model/objects/core.ts";
import type { EndpointSlice } from "../../model/objects/discovery.ts";
import type { NetworkPolicy } from "../../model/objects/networking.ts";

/** What no API object tells: this machine as the agent found it. */
export interface NodeFacts {
  readonly nodeName: string;
  /** This node's address towards the other nodes. */
  readonly address: Address;
  /** The subnets this node's uplinks stand in ("172.31.1.0/24"): other nodes in them need no tunnel when CrossSubnet. */
  readonly subnets: readonly string[];
  /** Every further address of this machine, its tunnel device's for instance. */
  readonly localAddresses: readonly Address[];
  /** The network that Services' addresses come from. */
  readonly serviceSubnet: string;
  /** Where the agent reaches the API server; undefined without one, or while only a name of it is known. */
  readonly apiServer?: { readonly address: Address; readonly port: number } | undefined;
  readonly uplinkIfindex: number;
  /** 0: there is none. */
  readonly tunnelIfindex: number;
  /** What the numbers of identities and policies hang on beside their content, which users compose (ids.ts). */
  readonly salt?: string;
  /** Cookie of this node's own network namespace, decimal; absent where the kernel did not tell. */
  readonly namespaceCookie?: string | undefined;
}

/** A workload's interface on this node, as CNI made it. */
export interface LocalEndpoint {
  readonly namespace: string;
  readonly pod: string;
  /** The pod's uid as the kubelet gave it; absent or empty when it gave none. */
  readonly uid?: string;
  readonly address: Address;
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
