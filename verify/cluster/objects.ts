import type { KubernetesObject } from "../format/schema.ts";
import { ApiError, type ApiServer } from "./api-server.ts";
import { type ObjectId, pathOf } from "./resources.ts";

/** The one field manager of every check: what a later apply leaves out is removed. */
export const fieldManager = "ebpf-dataplane-check";

/** An object as the API server has it. */
export interface StoredObject extends KubernetesObject {
  metadata: KubernetesObject["metadata"] & {
    uid?: string;
    resourceVersion?: string;
    deletionTimestamp?: string;
    annotations?: Record<string, string>;
  };
}

/** What the engine does with objects. Each call is one request; patience is the caller's. */
export interface Objects {
  read(id: ObjectId): Promise<StoredObject | undefined>;
  /** Server-side apply, taking over fields that others own. */
  apply(object: KubernetesObject): Promise<void>;
  /** An object that is not there is deleted already. */
  delete(id: ObjectId): Promise<void>;
  /** Puts a whole object back as it was read, or makes it anew when it is gone. */
  restore(object: StoredObject): Promise<void>;
}

/** @returns what the call gives, or undefined where the API server knows no such object (or no such kind any more). */
async function unlessMissing<T>(call: Promise<T>): Promise<T | undefined> {
  try {
    return await call;
  } catch (error) {
    if (error instanceof ApiError && error.status === 404) return undefined;
    throw error;
  }
}

export function objectsOf(api: ApiServer): Objects {
  const read = async (id: ObjectId): Promise<StoredObject | undefined> => {
    const path = await unlessMissing(pathOf(api, id));
    return path === undefined ? undefined : unlessMissing(api.json<StoredObject>(path));
  };
  return {
    read,
    apply: async (object) => {
      await api.text(await pathOf(api, object), {
        method: "PATCH",
        query: { fieldManager, force: "true", fieldValidation: "Strict" },
        contentType: "application/apply-patch+yaml",
        body: object,
      });
    },
    delete: async (id) => {
      const path = await unlessMissing(pathOf(api, id));
      // Foreground: the object is gone only when what it owns is gone, so "gone" can be waited for.
      if (path) await unlessMissing(api.text(path, { method: "DELETE", query: { propagationPolicy: "Foreground" } }));
    },
    restore: async (object) => {
      const now = await read(object);
      const path = await pathOf(api, object);
      const { uid: _, resourceVersion: __, ...metadata } = object.metadata;
      if (!now) {
        const created = { ...object, metadata: { ...metadata, managedFields: undefined } };
        await api.text(path, {
          method: "PATCH",
          query: { fieldManager, force: "true" },
          contentType: "application/apply-patch+yaml",
          body: created,
        });
        return;
      }
      // Twice: the first write takes the changed fields for our manager, the second only gives the ownership back.
      const put = async (resourceVersion?: string): Promise<StoredObject> =>
        api.json(path, {
          method: "PUT",
          query: { fieldManager },
          body: { ...object, metadata: { ...metadata, resourceVersion } },
        });
      const written = await put(now.metadata.resourceVersion);
      await put(written.metadata.resourceVersion);
    },
  };
}
