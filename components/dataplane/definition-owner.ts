import { AGENT } from "./names.ts";

/** Marks the definitions that this package makes. */
export const DEFINITION_LABELS = { "app.kubernetes.io/part-of": AGENT };

/** The fields of a CustomResourceDefinition that show who owns it. */
export interface StoredDefinition {
  metadata?: {
    name?: string;
    labels?: Record<string, string>;
    annotations?: Record<string, string>;
    managedFields?: { manager?: string; subresource?: string; fieldsV1?: object }[];
  };
}

/** Describes who else owns a definition; undefined if only this package does. Calico's definitions have the same names (natively from
 * 3.32 on): applying ours over them would break Calico, and deleting them would delete all of Calico's objects. */
export function strangerOf({ metadata = {} }: StoredDefinition): string | undefined {
  const { labels = {}, annotations = {}, managedFields = [] } = metadata;
  const marked = Object.entries(DEFINITION_LABELS).every(([key, value]) => labels[key] === value);
  const writers = managedFields
    .filter(({ subresource, fieldsV1 = {} }) => !subresource && "f:spec" in fieldsV1)
    .map(({ manager = "somebody" }) => manager);
  const strangers = writers.filter((manager) => !isOurs(manager, marked));
  if (strangers.length === 0 && (marked || writers.length > 0)) return undefined;
  const release = annotations["meta.helm.sh/release-name"];
  const manager = labels["app.kubernetes.io/managed-by"];
  return release ? `Helm release ${release}` : (strangers[0] ?? manager ?? "somebody");
}

/** Pulumi's provider writes under this name for every user of Pulumi, so it does not show the owner. */
const isOurs = (manager: string, marked: boolean): boolean =>
  manager.startsWith(AGENT) || (marked && manager.startsWith("pulumi-kubernetes"));
