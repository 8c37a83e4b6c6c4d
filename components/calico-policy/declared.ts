import type * as pulumi from "@pulumi/pulumi";
import { at, type InputPlace } from "../refusal/refusal.ts";
import { requireUnique } from "../values/choices.ts";
import type {
  CalicoNetworkPolicySpec,
  GlobalNetworkPolicySpec,
  GlobalNetworkSetSpec,
  HostEndpointSpec,
  NetworkSetSpec,
  TierSpec,
} from "./args.ts";
import { CalicoNetworkPolicy } from "./calico-network-policy.ts";
import { GlobalNetworkPolicy } from "./global-network-policy.ts";
import { GlobalNetworkSet } from "./global-network-set.ts";
import { HostEndpoint } from "./host-endpoint.ts";
import { type CalicoKind, requireObject } from "./inputs.ts";
import { NetworkSet } from "./network-set.ts";
import { Tier } from "./tier.ts";

/** Objects of Calico's kinds for policies that are declared with a dataplane. */
export interface DeclaredPolicies {
  calicoNetworkPolicies?: CalicoNetworkPolicySpec[];
  globalNetworkPolicies?: GlobalNetworkPolicySpec[];
  tiers?: TierSpec[];
  hostEndpoints?: HostEndpointSpec[];
  networkSets?: NetworkSetSpec[];
  globalNetworkSets?: GlobalNetworkSetSpec[];
}

type Component = new (name: string, args: never, opts: pulumi.ComponentResourceOptions) => pulumi.ComponentResource;

/** Tiers and sets stand before the policies that name them. */
const COMPONENTS: Readonly<Record<CalicoKind, Component>> = {
  tiers: Tier,
  networkSets: NetworkSet,
  globalNetworkSets: GlobalNetworkSet,
  hostEndpoints: HostEndpoint,
  calicoNetworkPolicies: CalicoNetworkPolicy,
  globalNetworkPolicies: GlobalNetworkPolicy,
};
const KINDS = Object.keys(COMPONENTS) as CalicoKind[];

const nameOf = ({ namespace, name }: { namespace?: string; name: string }): string =>
  namespace === undefined ? name : `${namespace}-${name}`;

/** Refuses objects that agents would refuse, and two of one name. */
export function requireDeclaredPolicies(place: InputPlace, declared: DeclaredPolicies): void {
  for (const kind of KINDS) {
    const list: { name: string }[] = declared[kind] ?? [];
    const objects = list.map((item, index) => requireObject(at(at(place, kind), index), kind, item));
    requireUnique(
      (index) => at(at(at(place, kind), index), "name"),
      objects.map(({ metadata }) => nameOf(metadata)),
    );
  }
}

/** Makes them as components of their own. */
export function declarePolicies(
  name: string,
  declared: DeclaredPolicies,
  opts: pulumi.ComponentResourceOptions,
): pulumi.ComponentResource[] {
  return KINDS.flatMap((kind) =>
    (declared[kind] ?? []).map(
      (item) => new COMPONENTS[kind](`${name}-${nameOf({ ...defaultNamespace(kind), ...item })}`, item as never, opts),
    ),
  );
}

function defaultNamespace(kind: CalicoKind): { namespace?: string } {
  return kind === "calicoNetworkPolicies" || kind === "networkSets" ? { namespace: "default" } : {};
}
