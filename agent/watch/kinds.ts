import type { z } from "zod";
import {
  apiVersionOf,
  type KindName,
  type Kind as KindOfObject,
  kindNames,
  kinds as table,
} from "../../model/objects/kinds.ts";
import type { KubernetesObject } from "../../model/objects/metadata.ts";
import { schemas } from "../../model/objects/schemas.ts";
import { notFollowedYet, unsupported } from "../../model/objects/unsupported.ts";
import { closedCalicoPolicy, closedGlobalPolicy } from "./closed-calico-policy.ts";
import { closedClusterPolicy } from "./closed-cluster-policy.ts";
import { closedPolicy } from "./closed-policy.ts";
import { readableConfiguration } from "./readable-configuration.ts";
import { closedTier, readableNetworks } from "./readable-parts.ts";
import { SYSTEM_NAMESPACE } from "./system-namespace.ts";

/** One kind of object the agent reads. */
export interface Kind<T extends KubernetesObject = KubernetesObject> extends KindOfObject {
  readonly apiVersion: string;
  readonly schema: z.ZodType<T>;
  /** Replaces an invalid object that has no previous valid version. */
  readonly substitute?: (object: unknown) => T | undefined;
  /** The valid part of an invalid object; `known`: its last valid version. Takes precedence over the other two. */
  readonly readable?: (object: unknown, known: unknown) => T | undefined;
  /** The consequence, as the end of a message. */
  readonly instead?: string;
}

type Reading = Pick<Kind, "substitute" | "readable" | "instead">;

const DENIES = "it denies everything to whom it selects, in its place in its tier, until it is fixed";
const PARTIAL = "its other networks are in force";

/** How invalid objects are handled. Without a reading: the last valid version, otherwise left out. */
const readings: Partial<Record<KindName, Reading>> = {
  networkPolicies: {
    substitute: closedPolicy,
    instead: "it isolates its pods and allows nothing until it is fixed",
  },
  calicoNetworkPolicies: { substitute: closedCalicoPolicy, instead: DENIES },
  globalNetworkPolicies: {
    substitute: closedGlobalPolicy,
    instead: `${DENIES}; if nothing readable says whom, to every pod outside ${SYSTEM_NAMESPACE}, and to no host`,
  },
  clusterNetworkPolicies: {
    substitute: closedClusterPolicy,
    instead: `${DENIES}; a subject that cannot be read is every pod outside ${SYSTEM_NAMESPACE}, a place that cannot be read the first`,
  },
  tiers: { substitute: closedTier, instead: "a field that cannot be read counts as absent until it is fixed" },
  networkSets: { substitute: readableNetworks, instead: PARTIAL },
  globalNetworkSets: { substitute: readableNetworks, instead: PARTIAL },
  felixConfigurations: {
    readable: readableConfiguration,
    instead: "the other fields are in force, and this one keeps its last good value until it is fixed",
  },
};

/** By the name of their field in the snapshot. */
export const kinds = Object.fromEntries(
  kindNames.map((name): [KindName, Kind] => {
    const reading = notFollowedYet.has(name) ? { schema: unsupported } : { schema: schemas[name], ...readings[name] };
    return [name, { ...table[name], apiVersion: apiVersionOf(table[name]), ...reading }];
  }),
) as Readonly<Record<KindName, Kind>>;
