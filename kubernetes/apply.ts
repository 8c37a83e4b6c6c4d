import { type Api, sendForObject } from "./transport.ts";

/**
 * Server-side apply (https://kubernetes.io/docs/reference/using-api/server-side-apply/), taking over fields that others own.
 * @param fieldManager the owner of what is set; what a later apply of the same owner leaves out is removed
 * @returns the object as it is stored
 * @throws KubernetesError, also for a field that the API server does not know
 */
export async function applyObject<T>(api: Api, path: string, object: object, fieldManager: string): Promise<T> {
  return sendForObject<T>(api, {
    method: "PATCH",
    path,
    query: { fieldManager, force: "true", fieldValidation: "Strict" },
    contentType: "application/apply-patch+yaml",
    body: object,
  });
}
