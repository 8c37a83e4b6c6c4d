import { ApiError, type ApiServer } from "./api-server.ts";

/** Names one object. */
export interface ObjectId {
  apiVersion: string;
  kind: string;
  metadata: { name: string; namespace?: string };
}

/** `Deployment default/nginx`, for people. */
export function named({ kind, metadata }: ObjectId): string {
  return `${kind} ${metadata.namespace ? `${metadata.namespace}/` : ""}${metadata.name}`;
}

interface Resource {
  name: string;
  kind: string;
  namespaced: boolean;
}

/** Kinds that were found once; a kind that is missing is asked for again, since its definition may come. */
const found = new WeakMap<ApiServer, Map<string, Resource>>();

/** The object's path in the API. Rejects with 404 when the API server has no such kind. */
export async function pathOf(api: ApiServer, { apiVersion, kind, metadata }: ObjectId): Promise<string> {
  const root = apiVersion.includes("/") ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
  const cache = found.get(api) ?? new Map<string, Resource>();
  found.set(api, cache);
  const key = `${apiVersion} ${kind}`;
  const resource = cache.get(key) ?? (await discover(api, root, apiVersion, kind));
  cache.set(key, resource);
  const namespace = resource.namespaced ? `/namespaces/${encodeURIComponent(metadata.namespace ?? "default")}` : "";
  return `${root}${namespace}/${resource.name}/${encodeURIComponent(metadata.name)}`;
}

async function discover(api: ApiServer, root: string, apiVersion: string, kind: string): Promise<Resource> {
  const unknown = new ApiError(404, "UnknownKind", `the cluster has no kind ${kind} in ${apiVersion}`);
  const list = await api.json<{ resources: Resource[] }>(root).catch((error) => {
    throw error instanceof ApiError && error.status === 404 ? unknown : error;
  });
  const resource = list.resources.find((one) => one.kind === kind && !one.name.includes("/"));
  if (!resource) throw unknown;
  return resource;
}
