import type { Address, Cidr } from "../address/address.ts";
import type { SecretReference } from "../objects/bgp/fields.ts";
import type { BgpFilterRule } from "../objects/bgp/filter.ts";
import type { Problem } from "../problem.ts";

/** A session of this node with one peer. It contains only numbers, addresses and networks, so no text in it can change the meaning of
 * BIRD's configuration. */
export interface BgpSession {
  /** The object that asks for it: kind and name. */
  readonly owner: { readonly kind: "BGPConfiguration" | "BGPPeer"; readonly name: string };
  readonly peer: Address;
  /** The node that the peer is. */
  readonly peerNode?: string | undefined;
  readonly port: number;
  readonly peerAs: number;
  readonly localAs: number;
  /** This node's address; absent: the kernel chooses. */
  readonly source?: Address | undefined;
  /** The peer is in a subnet of this node. */
  readonly onLink: boolean;
  /** The routes that the peer may announce: for a node the blocks that it holds; absent: any. */
  readonly believed?: readonly Cidr[] | undefined;
  /** The peer is this route reflector's client. */
  readonly clusterId?: string | undefined;
  /** The routes of others that this node announces to the peer: a route reflector announces what it hears. */
  readonly reflects: boolean;
  /** Whether addresses of Services are announced to the peer: nodes of the mesh have them themselves. */
  readonly getsServices: boolean;
  readonly password?: SecretReference | undefined;
  readonly restartSeconds?: number | undefined;
  readonly nextHop: "Auto" | "Self" | "Keep";
  /** The session is monitored by BFD (RFC 5881). */
  readonly bfd: boolean;
  readonly ttlHops?: number | undefined;
  readonly ownAsAllowed: number;
  readonly imports: readonly BgpFilterRule[];
  readonly exports: readonly BgpFilterRule[];
}

/** Communities of the announced routes in a network. */
export interface Marking {
  readonly cidr: Cidr;
  readonly communities: readonly (readonly number[])[];
}

/** The routes that this node announces and accepts by BGP. */
export interface BgpPlan {
  readonly routerId: Address;
  readonly listenPort: number;
  readonly sessions: readonly BgpSession[];
  /** Blocks of this node's pods. */
  readonly blocks: readonly Cidr[];
  /** Networks of which addresses of Services are announced: route reflectors announce them for others. */
  readonly serviceNetworks: readonly Cidr[];
  /** Networks and addresses of Services that this node announces. */
  readonly services: readonly Cidr[];
  readonly marked: readonly Marking[];
  /** Blocks of other nodes to which the network carries packets without a tunnel: their routes go into the kernel. */
  readonly carried: readonly Cidr[];
  /** Networks of pods. In them, a route that is more specific than those in `carried` is never followed. */
  readonly pods: readonly Cidr[];
  /** Networks in which no route of a peer is followed: this node's own subnets, and networks for which its programs answer. */
  readonly own: readonly Cidr[];
}

export interface JudgedBgp {
  /** Undefined: no object asks for BGP. */
  readonly plan: BgpPlan | undefined;
  readonly problems: readonly Problem[];
}
