import type { Address, Family } from "../address/address.ts";
import type { Problem } from "../problem.ts";

/** How packets to a destination leave the cluster. */
export type EgressWay =
  /** As the pod's pool says. */
  | { readonly how: "plain" }
  /** By this node, with its address of the family; without one, that of the uplink. */
  | { readonly how: "here"; readonly addresses: Readonly<Partial<Record<Family, Address>>> }
  /** By another one, where tunnels find it. */
  | { readonly how: "node"; readonly node: Address }
  /** Not at all. */
  | { readonly how: "none" };

/** Pods that leave the cluster otherwise than their pool says, by one object. */
export interface EgressGroup {
  /** "EgressGateway shop" */
  readonly owner: string;
  /** Of the longest match. */
  readonly ways: readonly { readonly destination: string; readonly way: EgressWay }[];
  readonly members: readonly Address[];
}

/** How pods leave the cluster that this node sends out, or sends on. */
export interface EgressPlan {
  readonly groups: readonly EgressGroup[];
  /** Nodes that are ready as gateways, where tunnels find them: connections by them go on. */
  readonly gateways: readonly Address[];
  readonly problems: readonly Problem[];
}

export const NO_EGRESS: EgressPlan = { groups: [], gateways: [], problems: [] };

/** Every address outside. */
export const EVERYWHERE: readonly string[] = ["0.0.0.0/0", "::/0"];

/** Means another machine on each node: its own cache for DNS, and on clouds the service that gives out its credentials. Those of IPv6 are not routed at all. */
export const LINK_LOCAL = "169.254.0.0/16";
