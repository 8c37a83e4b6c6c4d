import type { HostInputs } from "../../model/flow/host-judges.ts";
import type { JudgedBy } from "../../model/flow/judged-by.ts";
import { defaultConfiguration } from "../../model/mode/configuration.ts";
import { type KindName, kinds } from "../../model/objects/kinds.ts";
import { type ObjectOf, schemas } from "../../model/objects/schemas.ts";
import { notFollowedYet } from "../../model/objects/unsupported.ts";
import { isOf, type WrittenObject } from "./objects.ts";

export type DeclaredPolicies = JudgedBy["policies"];

/** The declared policies of every kind that agents follow, and what they refer to. Objects that cannot be read are left out.
 * @param isFollowed whether agents follow objects of this kind */
export function policiesOf(
  objects: readonly WrittenObject[],
  isFollowed = (kind: KindName) => !notFollowedYet.has(kind),
): DeclaredPolicies {
  const of = <Name extends KindName>(name: Name) => (isFollowed(name) ? declared(name, objects) : []);
  return {
    networkPolicies: of("networkPolicies"),
    calicoNetworkPolicies: of("calicoNetworkPolicies"),
    globalNetworkPolicies: of("globalNetworkPolicies"),
    clusterNetworkPolicies: of("clusterNetworkPolicies"),
    tiers: of("tiers"),
    networkSets: of("networkSets"),
    globalNetworkSets: of("globalNetworkSets"),
  };
}

/** What decides about the nodes themselves, and about what they forward. */
export function hostInputsOf(objects: readonly WrittenObject[], wraps: HostInputs["wraps"]): HostInputs {
  return {
    hostEndpoints: declared("hostEndpoints", objects),
    kubeControllersConfigurations: declared("kubeControllersConfigurations", objects),
    configuration: defaultConfiguration(declared("felixConfigurations", objects)),
    // As flows name them.
    services: declared("services", objects).map(({ metadata, ...rest }) => ({
      ...rest,
      metadata: { ...metadata, namespace: metadata.namespace ?? "default" },
    })),
    wraps,
  };
}

function declared<Name extends KindName>(name: Name, objects: readonly WrittenObject[]): ObjectOf<Name>[] {
  return objects
    .filter((object) => isOf(kinds[name], object))
    .flatMap((object) => (schemas[name].safeParse(object).data as ObjectOf<Name> | undefined) ?? []);
}
