import type { Address, Cidr } from "../address/address.ts";
import type { SecretReference } from "../objects/bgp/fields.ts";
import type { BgpFilterRule } from "../objects/bgp/filter.ts";
import type { Problem } from "../problem.ts";

/** A session of this node with one peer. All of it is numbers, addresses and networks: nothing in it can end a word of BIRD's language. */
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
  /** What the peer may announce: of a node the blocks that it holds; absent: everything. */
  readonly believed?: readonly Cidr[] | undefined;
  /** The peer is this route reflector's client. */
  readonly clusterId?: string | undefined;
  /** What else than its own this node tells the peer: a route reflector tells what it hears. */
  readonly reflects: boolean;
  /** Whether it is told of addresses of Services: nodes of the mesh have them themselves. */
  readonly getsServices: boolean;
  readonly password?: SecretReference | undefined;
  readonly restartSeconds?: number | undefined;
  readonly nextHop: "Auto" | "Self" | "Keep";
  /** The peer's end is watched by BFD (RFC 5881). */
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

/** What this node says and hears by BGP. */
export interface BgpPlan {
  readonly routerId: Address;
  readonly listenPort: number;
  readonly sessions: readonly BgpSession[];
  /** Blocks of this node's pods. */
  readonly blocks: readonly Cidr[];
  /** Networks that addresses of Services are announced of: route reflectors tell of them. */
  readonly serviceNetworks: readonly Cidr[];
  /** Networks and addresses of Services that this node announces. */
  readonly services: readonly Cidr[];
  readonly marked: readonly Marking[];
  /** Blocks of other nodes that the network carries packets to: their routes go into the kernel. */
  readonly carried: readonly Cidr[];
  /** Networks of pods. More special routes in them than `carried` are never followed. */
  readonly pods: readonly Cidr[];
  /** Networks in which no route of a peer is followed: this node's own subnets, and where its programs answer. */
  readonly own: readonly Cidr[];
}

export interface JudgedBgp {
  /** Undefined: nothing asks for BGP. */
  readonly plan: BgpPlan | undefined;
  readonly problems: readonly Problem[];
}
