import type { Address, Family } from "../address/address.ts";
import type { Problem } from "../problem.ts";

/** How packets to a destination leave the cluster. */
export type EgressWay =
  /** As the pod's pool says. */
  | { readonly how: "plain" }
  /** From this node, with its address of the family; without one, with that of the uplink. */
  | { readonly how: "here"; readonly addresses: Readonly<Partial<Record<Family, Address>>> }
  /** From another node, given by its tunnel address. */
  | { readonly how: "node"; readonly node: Address }
  /** Not at all. */
  | { readonly how: "none" };

/** Pods that leave the cluster in another way than their pool says, because of one object. */
export interface EgressGroup {
  /** "EgressGateway shop" */
  readonly owner: string;
  /** Of the longest match. */
  readonly ways: readonly { readonly destination: string; readonly way: EgressWay }[];
  readonly members: readonly Address[];
}

/** How the pods leave the cluster whose packets this node sends out or forwards to a gateway. */
export interface EgressPlan {
  readonly groups: readonly EgressGroup[];
  /** Nodes that are ready as gateways, by their tunnel addresses: connections through them continue. */
  readonly gateways: readonly Address[];
  readonly problems: readonly Problem[];
}

export const NO_EGRESS: EgressPlan = { groups: [], gateways: [], problems: [] };

/** Every address outside. */
export const EVERYWHERE: readonly string[] = ["0.0.0.0/0", "::/0"];

/** An address that means another machine on each node: the node's own DNS cache, and on clouds the service that gives out the node's
 * credentials. The IPv6 equivalents are not routed at all. */
export const LINK_LOCAL = "169.254.0.0/16";
