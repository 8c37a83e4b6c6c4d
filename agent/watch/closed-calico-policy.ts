import { z } from "zod";
import {
  type CalicoNetworkPolicy,
  calicoNetworkPolicy,
  directionsOf,
  type GlobalNetworkPolicy,
  globalNetworkPolicy,
  globalSpec,
  namespacedSpec,
} from "../../model/objects/calico-policy/policies.ts";
import { hostFieldFaults } from "../../model/objects/calico-policy/rule-faults.ts";
import { metadata } from "../../model/objects/metadata.ts";

// What stands for a policy of Calico's that cannot be read: at its place in its tier it denies everything to whom it selects, in its
// directions. A rule that was to deny something may be among those that cannot be read, so what comes after it does not count.

const written = z.object({ metadata, spec: z.record(z.string(), z.unknown()) });
type Shape = Readonly<Record<string, z.ZodType>>;
type Fields = Readonly<Record<string, unknown>>;

/** Selects all of its namespace where a selector cannot be read. */
export function closedCalicoPolicy(object: unknown): CalicoNetworkPolicy | undefined {
  const read = written.safeParse(object).data;
  if (!read) return undefined;
  const spec = calicoNetworkPolicy.shape.spec.safeParse(denying(read.spec, namespacedSpec.shape)).data;
  return spec && { metadata: read.metadata, spec };
}

/** None where a selector cannot be read, or where a key that does not exist may be one: it would cut off the cluster. */
export function closedGlobalPolicy(object: unknown): GlobalNetworkPolicy | undefined {
  const read = written.safeParse(object).data;
  if (!read || !saysWhom(read.spec)) return undefined;
  const fields = denying(read.spec, globalSpec.shape);
  const host = hostFieldFaults(fields).length > 0 ? { doNotTrack: false, preDNAT: false } : {};
  const spec = globalNetworkPolicy.shape.spec.safeParse({ ...fields, ...host }).data;
  return spec && { metadata: read.metadata, spec };
}

const SELECTORS = ["selector", "namespaceSelector", "serviceAccountSelector"] as const;

function saysWhom(spec: Fields): boolean {
  const readable = SELECTORS.every((field) => globalSpec.shape[field].safeParse(spec[field]).success);
  const unknown = Object.keys(spec).some((field) => !Object.hasOwn(globalSpec.shape, field));
  return readable && (!unknown || SELECTORS.some((field) => spec[field]));
}

/** The fields that can be read, with rules that deny everything. */
function denying(spec: Fields, shape: Shape): Fields {
  const { ingress, egress, types, ...fields } = readable(spec, shape);
  const unknown = Object.keys(spec).some((field) => !Object.hasOwn(shape, field));
  const given = types ?? (spec.types == null && !unknown ? directions(spec) : ["Ingress", "Egress"]);
  const closed = (direction: string) => ((given as string[]).includes(direction) ? [{ action: "Deny" }] : []);
  // An order that cannot be read may be before any other.
  const order = spec.order == null ? undefined : (fields.order ?? -Number.MAX_VALUE);
  return { ...fields, order, types: given, ingress: closed("Ingress"), egress: closed("Egress") };
}

function directions({ ingress, egress }: Fields): string[] {
  const [one, other] = [ingress ?? [], egress ?? []];
  return Array.isArray(one) && Array.isArray(other) ? directionsOf(one, other) : ["Ingress", "Egress"];
}

function readable(spec: Fields, shape: Shape): Fields {
  return Object.fromEntries(
    Object.entries(spec).filter(([field, value]) => value != null && shape[field]?.safeParse(value).success),
  );
}
