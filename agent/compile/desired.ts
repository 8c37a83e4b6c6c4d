import type { Address } from "../../model/address/address.ts";
import type { BgpPlan } from "../../model/bgp/plan.ts";
import type { EncryptionPlan } from "../../model/encryption/encryption.ts";
import type { KubeProxy } from "../../model/mode/configuration.ts";
import type { EndpointPolicy } from "../../model/policy/endpoint-policy.ts";
import type { HostDirectory } from "../../model/policy/host-directory.ts";
import type { Identity } from "../../model/policy/identity.ts";
import type { Problem } from "../../model/problem.ts";
import type { HealthCheck } from "../../model/service/health-check.ts";
import type { CompiledService } from "../../model/service/service.ts";
import type { KeyOf, MapName, ValueOf } from "../kernel/layout.gen.ts";
import type { Displaced } from "./ids.ts";
import type { OwnRequests } from "./own-requests.ts";
import type { NodeFacts } from "./snapshot.ts";

/** One entry of a BPF map. */
export interface Entry<K, V> {
  readonly key: K;
  readonly value: V;
}

/** Entries of one owner, the object in words ("Service default/nginx"). */
export interface Contribution<K, V> {
  readonly owner: string;
  /** The same ones whenever they are asked for; they may be made only then. */
  readonly entries: Iterable<Entry<K, V>>;
}

/** A map's content. A contribution whose entries did not change is the same object as before, so that no entries need to be compared. If
 * two owners want one key, the owner whose name sorts first gets it. */
export type Contributions<K, V> = readonly Contribution<K, V>[];

/** The entries of all owners. */
export function entriesOf<K, V>(contributions: Contributions<K, V>): Entry<K, V>[] {
  return contributions.flatMap(({ entries }) => [...entries]);
}

/** The maps that the agent writes; the others belong to the packet path. */
export type WrittenMap = Extract<
  MapName,
  | "backends"
  | "bandwidths"
  | "members"
  | "slots"
  | "frontends"
  | "sourceRanges"
  | "policies"
  | "locations"
  | "endpoints"
  | "hostEndpoints"
  | "failsafes"
  | "interfaces"
  | "namespaces"
  | "settings"
  | "uplinks"
  | "egressGroups"
  | "egressWays"
>;

export type MapContents = { readonly [M in WrittenMap]: Contributions<KeyOf<M>, ValueOf<M>> };

export type DesiredMaps = MapContents & {
  /** Intermediate contents, in this order, between the previous desired state and this one: nothing is removed before the last. */
  readonly through?: readonly MapContents[];
};

/** How the kernel is to reach a workload block or address. `via`: the node's address of the destination's family, if the route is not
 * encapsulated and this is not `node`. */
export type Route =
  | { readonly to: "endpoint"; readonly destination: string; readonly ifindex: number }
  | {
      readonly to: "node";
      readonly destination: string;
      readonly node: Address;
      readonly encapsulated: boolean;
      readonly via?: Address;
    }
  | { readonly to: "nowhere"; readonly destination: string };

/** The meaning of the numbers in `policies` and `locations`, in words. */
export interface PolicyNames {
  /** "pods app=web in namespace default; 172.31.1.0/24": what an address must match to have the identity. */
  readonly identities: ReadonlyMap<number, string>;
  /** "NetworkPolicy default/only-web": the objects that a compiled policy consists of. */
  readonly policies: ReadonlyMap<number, string>;
  /** "tier security, GlobalNetworkPolicy deny-db, ingress rule 2": why something was refused. */
  readonly rules: ReadonlyMap<number, string>;
  /** By the same numbers: the Log rules that matched, whatever was decided then. */
  readonly logs: ReadonlyMap<number, string>;
  /** The same for what no entry of a policy is about: by `defaultKey`. */
  readonly defaults: ReadonlyMap<number, string>;
}

/** One number for a policy's and a direction. */
export function defaultKey(policy: number, direction: number): number {
  return policy * 2 + direction;
}

export const NO_NAMES: PolicyNames = {
  identities: new Map(),
  policies: new Map(),
  rules: new Map(),
  logs: new Map(),
  defaults: new Map(),
};

/** What the numbers in `policies` and `locations` stand for. */
export interface NumberContents {
  readonly policies: ReadonlyMap<number, EndpointPolicy>;
  readonly identities: ReadonlyMap<Identity, number>;
}

/** The node itself, as policies see it. */
export interface JudgedNode {
  readonly directory: HostDirectory;
  readonly facts: NodeFacts;
}

/** What people are told about the policies in force. */
export interface InForceNow {
  /** What the numbers in the maps stand for. */
  readonly contents: NumberContents;
  /** A policy in force has a Log rule. */
  readonly logs: boolean;
  /** Undefined before the first pass. */
  readonly node: JudgedNode | undefined;
}

export const NOTHING_IN_FORCE: InForceNow = {
  contents: { policies: new Map(), identities: new Map() },
  ...{ logs: false, node: undefined },
};

/** What load balancers are told of a node. */
export interface NodeHealth {
  readonly checks: readonly HealthCheck[];
  /** The node is being deleted: no new connections. */
  readonly leaving: boolean;
}

/** Everything this node's kernel should hold for one snapshot of the cluster. */
export interface DesiredState {
  readonly maps: DesiredMaps;
  readonly routes: readonly Route[];
  readonly ownRequests: OwnRequests;
  /** Undefined: BGP is not spoken. */
  readonly bgp: BgpPlan | undefined;
  /** undefined: packets between nodes are not encrypted. */
  readonly encryption: EncryptionPlan | undefined;
  readonly names: PolicyNames;
  readonly contents: NumberContents;
  /** The node itself. */
  readonly hosts: HostDirectory;
  /** A policy in force has a Log rule. */
  readonly logs: boolean;
  readonly kubeProxy: KubeProxy;
  /** What load balancers are told of this node; undefined while kube-proxy tells them. */
  readonly health: NodeHealth | undefined;
  /** What the maps of services were made from. */
  readonly services: readonly CompiledService[];
  /** Numbers of their backend lists that are not their names' hashes. */
  readonly lists: Displaced;
  readonly problems: readonly Problem[];
  /** Policies in force here that are too large and allow nothing. */
  readonly closedPolicies: number;
  /** Services that are too large and therefore not served; also pods with too many host ports. */
  readonly closedServices: number;
  /** Names of pools and blocks from which no address may be assigned. */
  readonly refused: { readonly ipPools: ReadonlySet<string>; readonly ipamBlocks: ReadonlySet<string> };
}
