import type { Api } from "./transport.ts";

/** What was seen of an object: that version, that very object and not another of its name, or both. */
export type Seen = { readonly resourceVersion: string; readonly uid?: string } | { readonly uid: string };

/** Deletes an object only while it is what was seen. @throws KubernetesError, also where it is not (409) or is gone (404) */
export async function deleteUnchanged(api: Api, path: string, seen: Seen): Promise<void> {
  await api.send({ method: "DELETE", path, body: { preconditions: seen } });
}
