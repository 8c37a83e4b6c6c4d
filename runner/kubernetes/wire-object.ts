import type { ApiObject } from "../../kubernetes/object.ts";
import { RunnerFailure } from "../failure.ts";
import type { Operation } from "../operation.ts";

/** Component-like types that make other objects, and patches: the Kubernetes provider of Pulumi is needed for them. */
const NOT_AN_OBJECT = /^kubernetes:(yaml|helm\.sh|kustomize|helm)[/:]|(Patch|List)$/;

/** The object of a resource, as the API server wants it. */
export function wireObject({ type, name, inputs }: Operation): ApiObject {
  const object = inputs as ApiObject;
  if (NOT_AN_OBJECT.test(type) || object.apiVersion === undefined || object.kind === undefined) {
    throw new RunnerFailure(`a resource of type ${type} cannot be created without the Pulumi CLI`, {
      next: "put `pulumi` on PATH, or write typed Kubernetes resources",
    });
  }
  if (object.metadata?.name === undefined) {
    throw new RunnerFailure(`resource "${name}" has no metadata.name; names are made up by the Pulumi CLI only`, {
      next: "set metadata.name",
      exitCode: 2,
    });
  }
  return (object.kind === "CustomResourceDefinition" ? withSchemaKeys(object) : object) as ApiObject;
}

/** `NAMESPACE/NAME`, or the name of an object without a namespace. */
export function idOf({ metadata }: Pick<ApiObject, "metadata">): string {
  return metadata?.namespace ? `${metadata.namespace}/${metadata.name}` : `${metadata?.name}`;
}

/** In TypeScript the extension keys of a schema (`x-kubernetes-…`, `$ref`) have other names. */
function withSchemaKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withSchemaKeys);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [schemaKey(key), withSchemaKeys(item)]));
}

function schemaKey(key: string): string {
  if (key.startsWith("x_kubernetes_")) return key.replaceAll("_", "-");
  return key === "$ref" || key === "_ref" ? "$ref" : key === "_schema" ? "$schema" : key;
}
