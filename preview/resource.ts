/** A planned resource of a stack, from this package's runner or from `pulumi preview --json`. */
export interface Resource {
  /** Type token, e.g. `aws:ec2/instance:Instance`. */
  type: string;
  /** Name in the program. */
  name: string;
  urn: string;
  /** URN of the parent; empty below the stack. */
  parent: string;
  /** Inputs without unknown ones; from the Pulumi CLI also without secret ones. */
  inputs: Record<string, unknown>;
  /** By input: URNs of the resources that provide its value. */
  references: Record<string, string[]>;
  /** `urn::id` of an explicit provider; empty: the default one. */
  provider: string;
  /** The planned change, if the state of the stack is known. */
  change?: Change;
}

export const changes = ["create", "update", "replace", "delete", "same"] as const;
export type Change = (typeof changes)[number];

/** The display name: an object's kind and name, or the resource's own. */
export function title({ type, name, inputs }: Pick<Resource, "type" | "name" | "inputs">): string {
  const kind = type.split(":").at(-1) ?? type;
  const metadata = inputs.metadata as { name?: string; namespace?: string } | undefined;
  if (!type.startsWith("kubernetes:") || metadata?.name === undefined) return `${kind} ${name}`;
  return `${kind} ${metadata.namespace ? `${metadata.namespace}/` : ""}${metadata.name}`;
}

/** Whether a resource is below another one, at any depth. */
export function isWithin(resource: Resource, ancestor: string, byUrn: ReadonlyMap<string, Resource>): boolean {
  for (let one: Resource | undefined = resource; one; one = byUrn.get(one.parent)) {
    if (one.urn === ancestor) return true;
  }
  return false;
}
