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
import { NAMESPACE_LABEL } from "../../model/policy/calico-labels.ts";
import { SYSTEM_NAMESPACE } from "./system-namespace.ts";

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

/** Selects at least what the object selects: a selector that cannot be read does not narrow the others. Docs: decision 28. */
export function closedGlobalPolicy(object: unknown): GlobalNetworkPolicy | undefined {
  const read = written.safeParse(object).data;
  const whom = read && selectorsOf(read.spec);
  if (!read || !whom) return undefined;
  const fields = { ...denying(read.spec, globalSpec.shape), ...whom };
  const host = hostFieldFaults(fields).length > 0 ? { doNotTrack: false, preDNAT: false } : {};
  const spec = globalNetworkPolicy.shape.spec.safeParse({ ...fields, ...host }).data;
  return spec && { metadata: read.metadata, spec };
}

const SELECTORS = ["selector", "namespaceSelector", "serviceAccountSelector"] as const;
/** Of pods only: host endpoints have no namespace. */
const OUTSIDE_SYSTEM = `has(${NAMESPACE_LABEL}) && ${NAMESPACE_LABEL} != '${SYSTEM_NAMESPACE}'`;

/** Selectors for what cannot be read; undefined: nothing stands for a policy that only hosts have and of which nothing says which. */
function selectorsOf(spec: Fields): Fields | undefined {
  const unreadable = SELECTORS.filter((field) => !globalSpec.shape[field].safeParse(spec[field]).success);
  const unknown = Object.keys(spec).some((field) => !Object.hasOwn(globalSpec.shape, field));
  const readable = SELECTORS.some((field) => spec[field] && !unreadable.includes(field));
  if (!readable && (unknown || unreadable.length > 0))
    return hostsOnly(spec) ? undefined : { selector: OUTSIDE_SYSTEM };
  // With a selector of namespaces or service accounts it selects no host endpoints.
  const pods = unreadable.includes("namespaceSelector") || unreadable.includes("serviceAccountSelector");
  const namespaces = unreadable.includes("namespaceSelector") ? undefined : spec.namespaceSelector;
  return pods ? { namespaceSelector: namespaces || "all()" } : {};
}

const hostsOnly = ({ doNotTrack, preDNAT }: Fields): boolean => doNotTrack === true || preDNAT === true;

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
