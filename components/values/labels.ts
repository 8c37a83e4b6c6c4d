import type * as pulumi from "@pulumi/pulumi";
import { isLabelKey, isLabelName } from "../../model/objects/label-key.ts";
import { at, checked, type InputPlace, refuse } from "../refusal/refusal.ts";

/** Refuses what Kubernetes takes for no key of a label: a name of at most 63 characters, with or without a DNS name and "/" before it. */
export function requireLabelKey(place: InputPlace, key: string): string {
  if (isLabelKey(key)) return key;
  return refuse(place, key, 'the key of a label, like "app" or "app.kubernetes.io/name"');
}

/** Refuses what Kubernetes takes for no value of a label. */
export function requireLabelValue(place: InputPlace, value: string): string {
  if (value === "" || isLabelName(value)) return value;
  return refuse(place, value, 'the value of a label: at most 63 letters, digits, "-", "_" and "."');
}

/** Refuses labels that no object could have. */
export function requireLabels<Labels extends Record<string, pulumi.Input<string>>>(
  place: InputPlace,
  labels: Labels,
): Labels {
  const entries = Object.entries(labels).map(([key, value]) => {
    requireLabelKey(place, key);
    return [key, checked(value, (known) => requireLabelValue(at(place, key), known))];
  });
  return Object.fromEntries(entries) as Labels;
}
