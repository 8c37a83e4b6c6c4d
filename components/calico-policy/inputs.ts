import type * as pulumi from "@pulumi/pulumi";
import { apiVersionOf, kinds } from "../../model/objects/kinds.ts";
import { schemas } from "../../model/objects/schemas.ts";
import { notFollowedYet } from "../../model/objects/unsupported.ts";
import { faultsOf } from "../documents/faults.ts";
import { requirePolicy } from "../network-policy/inputs.ts";
import { at, checkedBeside, type InputPlace, isLater, refuse, refuseBecause } from "../refusal/refusal.ts";
import { requireLabels } from "../values/labels.ts";
import { requireLabel, requireObjectName } from "../values/names.ts";
import { StagedAction, type StagedKubernetesNetworkPolicySpec } from "./staged-args.ts";

/** Kinds that have a component and an argument of `Dataplane`. They are checked with the same functions as in the agents. */
export type PolicyKind =
  | "calicoNetworkPolicies"
  | "globalNetworkPolicies"
  | "tiers"
  | "hostEndpoints"
  | "networkSets"
  | "globalNetworkSets"
  | "ipReservations"
  | "stagedNetworkPolicies"
  | "stagedGlobalNetworkPolicies"
  | "stagedKubernetesNetworkPolicies"
  | "kubeControllersConfigurations"
  | "bgpConfigurations"
  | "bgpPeers"
  | "bgpFilters"
  | "egressGateways"
  | "clusterNetworkPolicies";

interface Written {
  /** Absent: the kind has one object, "default". */
  name?: string;
  namespace?: string;
  labels?: pulumi.Input<Record<string, pulumi.Input<string>>>;
  types?: string[];
  ingress?: object[];
  egress?: object[];
  controllers?: object;
  asNumber?: pulumi.Input<number>;
}

/** An object for the API server, whose spec is available once it was checked. */
export interface CheckedObject {
  apiVersion: string;
  kind: string;
  metadata: { name: string; namespace?: string; labels?: pulumi.Input<Record<string, pulumi.Input<string>>> };
  spec: pulumi.Input<object>;
}

/** Makes the object. Refuses what agents would refuse, with the same schemas, and names the path of the argument. */
export function requireObject(place: InputPlace, name: PolicyKind, written: Written): CheckedObject {
  const kind = kinds[name];
  if (notFollowedYet.has(name)) refuseBecause(place, `a ${kind.kind} is not supported yet`);
  const { name: object = "default", namespace = kind.namespaced ? "default" : undefined, labels, ...spec } = written;
  requireSaid(place, written);
  requireDirections(place, written);
  const metadata = {
    name: object,
    ...(namespace !== undefined && { namespace }),
    ...(labels && { labels: checkedBeside(labels, [], (known) => requireLabels(at(place, "labels"), known)) }),
  };
  const checked = checkedBeside<object, never>(specOf(place, name, { ...spec, name: object }), [], (known) => {
    requireReadable(place, name, { metadata: { ...metadata, labels: undefined }, spec: known });
    return known;
  });
  // Kinds with other rules for their names have checked them already.
  requireObjectName(at(place, "name"), object);
  if (namespace !== undefined) requireLabel(at(place, "namespace"), namespace);
  return { apiVersion: apiVersionOf(kind), kind: kind.kind, metadata, spec: checked };
}

/** The spec of Kubernetes' own policies has the checks and defaults that `NetworkPolicy` has. */
function specOf(place: InputPlace, kind: PolicyKind, { name, ...spec }: Written & { name: string }): object {
  if (kind !== "stagedKubernetesNetworkPolicies") return spec;
  const { stagedAction, ...policy } = spec as StagedKubernetesNetworkPolicySpec;
  if (stagedAction === StagedAction.Delete) return spec;
  const { name: _, namespace: __, ...checked } = requirePolicy(place, { ...policy, name });
  return { ...(stagedAction && { stagedAction }), ...checked };
}

/** No field of a policy is nested this deep. */
const DEEPEST = 16;

/** An absent field, and an empty list in a rule, are "everybody" to Calico; in a program they are most likely values that got lost. */
function requireSaid(place: InputPlace, value: unknown, inRule = false, depth = 0): void {
  if (!Array.isArray(value) && Object.prototype.toString.call(value) !== "[object Object]") return;
  if (isLater(value)) return;
  if (depth > DEEPEST) refuseBecause(place, "it is nested deeper than any field, or contains itself");
  for (const [key, item] of Object.entries(value as object)) {
    const field = at(place, Array.isArray(value) ? Number(key) : key);
    if (item === undefined) refuse(field, item, "given, or not be written at all: without it the policy allows more");
    if (inRule && Array.isArray(item) && item.length === 0)
      refuse(field, item, "a list of at least one item, or left out");
    requireSaid(field, item, inRule || key === "ingress" || key === "egress", depth + 1);
  }
}

/** Calico ignores rules of a direction in which the policy does not apply. */
function requireDirections(place: InputPlace, { types, ingress, egress }: Written): void {
  if (!types) return;
  for (const [type, rules] of Object.entries({ Ingress: ingress, Egress: egress }))
    if (rules?.length && !types.includes(type))
      refuse(
        at(place, "types"),
        types,
        `with "${type}" too, since ${type.toLowerCase()} has rules (Calico would ignore them)`,
      );
}

function requireReadable(place: InputPlace, name: PolicyKind, object: object): void {
  const [fault] = faultsOf(schemas[name], object);
  if (!fault) return;
  const [, ...below] = fault.path;
  const field = below.reduce<InputPlace>((found, key) => at(found, key), place);
  if (fault.allowed === undefined) refuseBecause(field, fault.message);
  refuse(field, fault.received, fault.allowed);
}
