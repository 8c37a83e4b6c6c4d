import { type Api, sendForObject } from "./transport.ts";

/** Changes the fields that a merge patch names (RFC 7396); null takes one away. @returns the object as it is stored. @throws KubernetesError */
export async function patchObject<T>(api: Api, path: string, body: object, fieldManager?: string): Promise<T> {
  const query = fieldManager === undefined ? undefined : { fieldManager };
  return sendForObject<T>(api, { method: "PATCH", path, query, body, contentType: "application/merge-patch+json" });
}
