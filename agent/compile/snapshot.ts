import type { NodeFacts as Facts } from "../../model/node/facts.ts";
import { type KindName, kindNames } from "../../model/objects/kinds.ts";
import type { PlacedPodName } from "../../model/objects/pod-of.ts";
import type { ObjectOf } from "../../model/objects/schemas.ts";
import type { HostInterface } from "../../model/policy/hosts.ts";

/** The same, with facts that only the maps need. */
export interface NodeFacts extends Facts {
  readonly uplinkIfindex: number;
  /** All uplinks; absent: no host endpoint is at one. */
  readonly uplinks?: readonly HostInterface[];
  /** 0: there is none. */
  readonly tunnelIfindex: number;
  /** Absent: there is none. */
  readonly wireguardIfindex?: number;
  /** Makes the numbers of identities and policies unpredictable for users, who compose their content (ids.ts). */
  readonly salt?: string;
  /** Cookie of this node's own network namespace, decimal; absent if the kernel does not report it. */
  readonly namespaceCookie?: string | undefined;
  /** Whether connections to services are counted. */
  readonly countsServices?: boolean;
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

/** The objects of every kind (model/objects/kinds.ts). An object that did not change is the very same object in the next snapshot. */
export type ClusterObjects = { readonly [Name in KindName]: readonly ObjectOf<Name>[] };

/** The cluster at one moment. */
export interface ClusterSnapshot extends ClusterObjects {
  readonly facts: NodeFacts;
  readonly endpoints: readonly LocalEndpoint[];
  /** What of the Services and EndpointSlices is to be served now; absent: all. */
  readonly served?: Pick<ClusterObjects, "services" | "endpointSlices">;
}

/** No object of any kind. */
export const noObjects = Object.fromEntries(kindNames.map((name) => [name, []])) as unknown as ClusterObjects;
