import type { Api } from "./transport.ts";

/** Of the Kubernetes API's DeleteOptions. */
export interface DeleteOptions {
  /** Foreground: the object is gone only when what it owns is gone, so "gone" can be waited for. */
  propagationPolicy?: "Foreground" | "Background" | "Orphan";
  gracePeriodSeconds?: number;
  /** Only this very object, not one with the same name that was created since. */
  preconditions?: { uid: string };
}

/** Deletes an object. @throws KubernetesError, also where there is none (404) */
export async function deleteObject(api: Api, path: string, options: DeleteOptions = {}): Promise<void> {
  await api.send({ method: "DELETE", path, body: options });
}

/** Deletes all objects of a collection that the selectors name. @throws KubernetesError */
export async function deleteObjects(
  api: Api,
  path: string,
  selectors: { labelSelector: string; fieldSelector?: string },
  options: DeleteOptions = {},
): Promise<void> {
  await api.send({ method: "DELETE", path, query: selectors, body: options });
}
