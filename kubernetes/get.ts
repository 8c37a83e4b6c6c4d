import { ApiUnreachable, isRefusal } from "./errors.ts";
import { type Api, type ApiRequest, sendForObject } from "./transport.ts";

type Query = ApiRequest["query"];

/** @returns the object at a path, or what else is there. @throws KubernetesError */
export async function getObject<T>(api: Api, path: string, query?: Query, signal?: AbortSignal): Promise<T> {
  return sendForObject<T>(api, { method: "GET", path, query, signal });
}

/** @returns undefined where the API server has no such object. @throws KubernetesError */
export async function findObject<T>(api: Api, path: string): Promise<T | undefined> {
  return unlessMissing(getObject<T>(api, path));
}

/** @returns the objects of a collection: all of a kind, or of a namespace. @throws KubernetesError */
export async function listObjects<T>(api: Api, path: string, query?: Query): Promise<T[]> {
  const list = await getObject<{ items?: T[] | null } | null>(api, path, query);
  if (list && "items" in list) return list.items ?? [];
  throw new ApiUnreachable({ server: api.server, method: "GET", path }, "the answer is no list of objects");
}

/** @returns what is no object, such as a log. @throws KubernetesError */
export async function getText(api: Api, path: string, query?: Query): Promise<string> {
  return api.send({ method: "GET", path, query });
}

/** @returns what the call gives, or undefined where the API server knows no such object, or no such kind. */
export async function unlessMissing<T>(call: Promise<T>): Promise<T | undefined> {
  try {
    return await call;
  } catch (error) {
    if (isRefusal(error, 404)) return undefined;
    throw error;
  }
}
