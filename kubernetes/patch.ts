import { type Api, sendForObject } from "./transport.ts";

/** Changes the fields that a merge patch names (RFC 7396); null takes one away. @returns the object as it is stored. @throws KubernetesError */
export async function patchObject<T>(api: Api, path: string, body: object): Promise<T> {
  return sendForObject<T>(api, { method: "PATCH", path, body, contentType: "application/merge-patch+json" });
}
