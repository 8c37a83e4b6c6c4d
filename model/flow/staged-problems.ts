import { defaultConfiguration } from "../mode/configuration.ts";
import type { FelixConfiguration } from "../objects/calico.ts";
import type { KubernetesObject } from "../objects/metadata.ts";
import type { StagedObjects } from "../policy/staged.ts";
import type { Problem } from "../problem.ts";
import { flowLogSettings } from "./settings.ts";

const KINDS = {
  stagedNetworkPolicies: "StagedNetworkPolicy",
  stagedGlobalNetworkPolicies: "StagedGlobalNetworkPolicy",
  stagedKubernetesNetworkPolicies: "StagedKubernetesNetworkPolicy",
} as const satisfies Record<keyof StagedObjects, string>;

interface Staged extends StagedObjects {
  readonly felixConfigurations: readonly FelixConfiguration[];
}

/** Staged policies that say nothing, because no flow log is kept in which they could. */
export function stagedProblems({ felixConfigurations, ...staged }: Staged): Problem[] {
  if (flowLogSettings(defaultConfiguration(felixConfigurations))) return [];
  const message =
    "staged policies are evaluated on the flow log, and none is kept. Next: set flowLogsFileEnabled: true in the FelixConfiguration default.";
  return (Object.keys(KINDS) as (keyof StagedObjects)[]).flatMap((field) =>
    staged[field].map(({ metadata: { name, namespace } }: KubernetesObject) => ({
      ...{ kind: KINDS[field], name, path: "spec", message },
      ...(namespace && { namespace }),
    })),
  );
}
