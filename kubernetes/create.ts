import { type Api, sendForObject } from "./transport.ts";

/** Creates an object in the collection at a path, or sends a subresource such as an eviction. @returns it as it is stored. @throws KubernetesError */
export async function createObject<T>(api: Api, path: string, body: unknown): Promise<T> {
  return sendForObject<T>(api, { method: "POST", path, body });
}
