import { type InputPlace, refuse } from "../refusal/refusal.ts";

/** Refuses anything but a UID of Kubernetes. */
export function requireClusterId(place: InputPlace, value: string): string {
  const fits = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(value);
  return fits
    ? value
    : refuse(place, value, "the UID of the cluster's namespace kube-system, like 9d305b25-6b0d-48dc-a557-92875c2c6cb6");
}
