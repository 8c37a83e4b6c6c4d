import type { KubernetesObject } from "../../components/documents/check.ts";
import { applyObject } from "../../kubernetes/apply.ts";
import { deleteObject } from "../../kubernetes/delete.ts";
import { Discovery } from "../../kubernetes/discovery.ts";
import { findObject, unlessMissing } from "../../kubernetes/get.ts";
import type { ObjectId } from "../../kubernetes/object.ts";
import { replaceObject } from "../../kubernetes/replace.ts";
import type { Api } from "../../kubernetes/transport.ts";

/** The field manager of all checks: fields that a later apply omits are removed. */
const fieldManager = "ebpf-dataplane-check";

/** An object as stored by the API server. */
export interface StoredObject extends KubernetesObject {
  metadata: KubernetesObject["metadata"] & {
    uid?: string;
    resourceVersion?: string;
    deletionTimestamp?: string;
    annotations?: Record<string, string>;
  };
}

/** The engine's operations on objects. Each call is one request; the caller retries. */
export interface Objects {
  read(id: ObjectId): Promise<StoredObject | undefined>;
  /** Server-side apply that takes over fields of other managers. */
  apply(object: KubernetesObject): Promise<void>;
  /** A missing object counts as deleted. */
  delete(id: ObjectId): Promise<void>;
  /** Restores a whole object as it was read, or re-creates it if it was deleted. */
  restore(object: StoredObject): Promise<void>;
}

export function objectsOf(api: Api): Objects {
  const discovery = new Discovery(api);
  const read = async (id: ObjectId): Promise<StoredObject | undefined> => {
    const path = await unlessMissing(discovery.path(id));
    return path === undefined ? undefined : findObject<StoredObject>(api, path);
  };
  return {
    read,
    apply: async (object) => {
      await applyObject(api, await discovery.path(object), object, fieldManager);
    },
    delete: async (id) => {
      const path = await unlessMissing(discovery.path(id));
      if (path) await unlessMissing(deleteObject(api, path, { propagationPolicy: "Foreground" }));
    },
    restore: async (object) => {
      const now = await read(object);
      const path = await discovery.path(object);
      const { uid: _, resourceVersion: __, ...metadata } = object.metadata;
      if (!now) {
        await applyObject(api, path, { ...object, metadata: { ...metadata, managedFields: undefined } }, fieldManager);
        return;
      }
      // Twice: the first write gives the changed fields to our manager, the second only returns their ownership.
      const put = async (resourceVersion?: string): Promise<StoredObject> =>
        replaceObject(api, path, { ...object, metadata: { ...metadata, resourceVersion } }, fieldManager);
      const written = await put(now.metadata.resourceVersion);
      await put(written.metadata.resourceVersion);
    },
  };
}
