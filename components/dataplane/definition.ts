import * as k8s from "@pulumi/kubernetes";
import type * as pulumi from "@pulumi/pulumi";
import { isShared, type Kind } from "../../model/objects/kinds.ts";
import { DEFINITION_LABELS } from "./definition-owner.ts";
import { AGENT } from "./names.ts";

export type Schema = k8s.types.input.apiextensions.v1.JSONSchemaProps;

/** A CEL rule, and the message for users who break it. */
export interface Rule {
  rule: string;
  message: string;
}

/** A kind that the API server stores for the agent, in a single version. */
export interface KindDefinition extends Kind {
  shortNames?: string[];
  /** Columns of `kubectl get`: title and path inside the object. */
  columns: Record<string, string>;
  /** Names that objects may have. Absent: any. */
  onlyName?: string;
  /** Annotations of the definition. */
  annotations?: Record<string, string>;
  /** Rules that the whole object must satisfy (CEL). */
  rules?: Rule[];
  spec: Schema;
  /** Whether an object may have no spec, or null: server-side apply takes an empty one away together with the last member of a list that is a set. */
  isSpecOptional?: boolean;
}

/**
 * Makes a CustomResourceDefinition.
 *
 * Its schema is structural: the API server refuses an unknown field when the client asks for strict validation (kubectl and
 * this package's runner do), and drops it with a warning otherwise. Fields that Calico has and this dataplane has not are
 * therefore declared with the one value that means the same here, and every other value is refused by name.
 *
 * Calico's and Kubernetes' definitions have the same names. It is marked as this package's and always written by one field manager, so that the API server
 * refuses to take over another's; and Pulumi leaves it behind, since deleting it would delete objects of others.
 */
export function customResourceDefinition(name: string, definition: KindDefinition, opts: pulumi.ResourceOptions) {
  const { group, version, kind, plural, shortNames, namespaced, annotations } = definition;
  const columns = Object.entries(definition.columns).map(([name, jsonPath]) => ({ name, type: "string", jsonPath }));
  return new k8s.apiextensions.v1.CustomResourceDefinition(
    `${name}-crd-${plural}`,
    {
      metadata: {
        name: `${plural}.${group}`,
        labels: DEFINITION_LABELS,
        annotations: { "pulumi.com/patchFieldManager": AGENT, ...annotations },
      },
      spec: {
        group,
        scope: namespaced ? "Namespaced" : "Cluster",
        // The API server does not store an empty list, so it would appear as a difference at every update. Nor columns, below.
        names: {
          kind,
          listKind: `${kind}List`,
          plural,
          singular: kind.toLowerCase(),
          ...(shortNames && { shortNames }),
        },
        versions: [
          {
            name: version,
            served: true,
            storage: true,
            schema: { openAPIV3Schema: objectSchema(definition) },
            ...(isShared(definition) && { subresources: { status: {} } }),
            ...(columns.length > 0 && { additionalPrinterColumns: columns }),
          },
        ],
      },
    },
    { ...opts, retainOnDelete: isShared(definition) },
  );
}

/** An object that is copied from another cluster may have a status (`kubectl get -o yaml`): the API server drops it, and nothing reads
 * it. */
const STATUS: Schema = { type: "object", x_kubernetes_preserve_unknown_fields: true };

function objectSchema({ group, spec, isSpecOptional, onlyName, rules = [] }: KindDefinition): Schema {
  const named = onlyName && {
    rule: `self.metadata.name == '${onlyName}'`,
    message: `only the object named "${onlyName}" is supported`,
  };
  const all = [...(named ? [named] : []), ...rules];
  return {
    type: "object",
    ...(!isSpecOptional && { required: ["spec"] }),
    properties: {
      apiVersion: { type: "string" },
      kind: { type: "string" },
      metadata: { type: "object" },
      spec: isSpecOptional ? { ...spec, nullable: true } : spec,
      ...(isShared({ group }) && { status: STATUS }),
    },
    ...(all.length > 0 && { x_kubernetes_validations: all }),
  };
}
