import type { Api } from "./transport.ts";

/** Deletes an object only while it has the version that was seen. @throws KubernetesError, also where it has changed (409) or is gone (404) */
export async function deleteUnchanged(api: Api, path: string, resourceVersion: string): Promise<void> {
  await api.send({ method: "DELETE", path, body: { preconditions: { resourceVersion } } });
}
