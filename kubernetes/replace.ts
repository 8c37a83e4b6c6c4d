import { type Api, sendForObject } from "./transport.ts";

/** Writes a whole object over the one at a path. @returns it as it is stored. @throws KubernetesError */
export async function replaceObject<T>(api: Api, path: string, object: object, fieldManager: string): Promise<T> {
  return sendForObject<T>(api, { method: "PUT", path, query: { fieldManager }, body: object });
}
