import type { KubernetesObject } from "./metadata.ts";
import { objectName } from "./metadata.ts";

/** Sorts the older object first: the older owner keeps what a later one also wants. Timestamps of the API server count seconds, so uid
 * and name decide between equals, the same on every node; objects of files have no timestamp. */
export function byAge(one: KubernetesObject, other: KubernetesObject): number {
  const [a, b] = [ageText(one), ageText(other)];
  return a < b ? -1 : a > b ? 1 : 0;
}

/** A text that sorts as `byAge` does. */
export function ageText(object: KubernetesObject): string {
  const { creationTimestamp, uid } = object.metadata;
  return `${creationTimestamp ?? ""} ${uid ?? ""} ${objectName(object)}`;
}
