import type { V1CustomResourceDefinition } from "@kubernetes/client-node";
import { strangerOf } from "../../components/dataplane/definition-owner.ts";
import { KINDS } from "../../components/dataplane/kinds.ts";
import type { PreflightPlan } from "../../components/documents/preflight.ts";
import { kinds } from "../../model/objects/kinds.ts";
import type { ClusterFacts } from "./facts.ts";
import { type Finding, ok, refused, warning } from "./finding.ts";

const CHECK = "definitions";
const nameOfKind = ({ plural, group }: { plural: string; group: string }): string => `${plural}.${group}`;
const OURS = KINDS.map(nameOfKind);
const CLUSTER_POLICIES = nameOfKind(kinds.clusterNetworkPolicies);

/** CRDs under names that this dataplane needs: those of another owner are never taken over, even if its network plugin is accepted. */
export function examineDefinitions({ definitions }: ClusterFacts, plan: PreflightPlan): Finding[] {
  const needed = OURS.filter((name) => name !== CLUSTER_POLICIES || plan.clusterNetworkPolicyDefinition);
  const nameOf = ({ metadata }: V1CustomResourceDefinition): string => metadata?.name ?? "";
  const taken = definitions.flatMap((definition) => {
    const stranger = needed.includes(nameOf(definition)) ? strangerOf(definition) : undefined;
    return stranger ? [{ name: nameOf(definition), stranger }] : [];
  });
  const others = definitions
    .map(nameOf)
    .filter((name) => /(^|\.)projectcalico\.org$/.test(name) && !OURS.includes(name));
  const findings = [
    ...taken.map(({ name, stranger }) =>
      refused(
        CHECK,
        `${name} belongs to ${stranger}: the dataplane needs its own form of it, and would break its current users`,
        name === CLUSTER_POLICIES
          ? "set clusterNetworkPolicyDefinition of Dataplane to false: its objects are read all the same"
          : `use a cluster without Calico; if Calico is no longer installed, save the objects (kubectl get ${name} -o yaml), then kubectl delete crd ${name}`,
      ),
    ),
    ...(others.length > 0
      ? [
          warning(
            CHECK,
            `${others.length} of Calico that this dataplane does not read, for example ${others[0]}`,
            "nothing: they are left alone",
          ),
        ]
      : []),
  ];
  return [
    ...(findings.length > 0 ? findings : [ok(CHECK, "no other owner has definitions of projectcalico.org")]),
    ...plan.neededDefinitions.filter((name) => !definitions.some((each) => nameOf(each) === name)).map(missing),
  ];
}

/** A program may make them itself, after this preflight. */
const missing = (name: string): Finding =>
  warning(
    CHECK,
    `there is no definition ${name}, of which monitoring has an object: the deployment will fail at it, after the agents run`,
    "install the Prometheus Operator or its definitions first, or take that object out of monitoring",
  );
