import type { Address } from "../../model/address/address.ts";
import type { KubeProxy } from "../../model/mode/configuration.ts";
import type { NatOutgoing } from "../../model/pool/pools.ts";
import type { Problem } from "../../model/problem.ts";
import type { KeyOf, MapName, ValueOf } from "../kernel/layout.gen.ts";

/** One entry of a BPF map. `id` is the key in words, unique within its map. */
export interface Entry<K, V> {
  readonly id: string;
  readonly key: K;
  readonly value: V;
}

/** A map's content by owner, the object in words ("Service default/nginx"). An owner whose entries did not change
 * keeps the very same array, so that nobody has to compare them. Where two owners want one key, the one whose name
 * sorts first has it. */
export type Contributions<K, V> = ReadonlyMap<string, readonly Entry<K, V>[]>;

/** The maps that the agent writes; the others belong to the packet path. */
export type WrittenMap = Extract<
  MapName,
  | "backends"
  | "members"
  | "slots"
  | "frontends"
  | "sourceRanges"
  | "policies"
  | "locations"
  | "endpoints"
  | "interfaces"
  | "namespaces"
  | "settings"
>;

export type MapContents = { readonly [M in WrittenMap]: Contributions<KeyOf<M>, ValueOf<M>> };

export type DesiredMaps = MapContents & {
  /** Contents to pass through, in this order, on the way from what was desired last: nothing is removed before the last. */
  readonly through?: readonly MapContents[];
};

/** How the kernel is to reach a workload block or address. */
export type Route =
  | { readonly to: "endpoint"; readonly destination: string; readonly ifindex: number }
  | { readonly to: "node"; readonly destination: string; readonly node: Address; readonly encapsulated: boolean }
  | { readonly to: "nowhere"; readonly destination: string };

/** What the numbers in `policies` and `locations` stand for, for people. */
export interface PolicyNames {
  /** "pods app=web in namespace default; 172.31.1.0/24": what an address must match to have the identity. */
  readonly identities: ReadonlyMap<number, string>;
  /** "NetworkPolicy default/only-web": the objects that a compiled policy is made of. */
  readonly policies: ReadonlyMap<number, string>;
}

/** Everything this node's kernel should hold for one snapshot of the cluster. */
export interface DesiredState {
  readonly maps: DesiredMaps;
  readonly routes: readonly Route[];
  readonly natOutgoing: NatOutgoing;
  readonly names: PolicyNames;
  readonly kubeProxy: KubeProxy;
  readonly problems: readonly Problem[];
  /** Policies in force here that are too large and allow nothing. */
  readonly closedPolicies: number;
  /** Services that are too large and serve nobody; pods with too many host ports too. */
  readonly closedServices: number;
  /** Names of pools and blocks that no address may be given out of. */
  readonly refused: { readonly ipPools: ReadonlySet<string>; readonly ipamBlocks: ReadonlySet<string> };
}
