import { type StoredDefinition, strangerOf } from "../components/dataplane/definition-owner.ts";
import { KINDS } from "../components/dataplane/kinds.ts";
import { deleteObject } from "../kubernetes/delete.ts";
import { isRefusal } from "../kubernetes/errors.ts";
import { getObject, listObjects } from "../kubernetes/get.ts";
import type { Api } from "../kubernetes/transport.ts";
import { isShared } from "../model/objects/kinds.ts";

/** Deletes the CRDs of a shared group that belong to this package alone and have no objects: Pulumi keeps them. */
export async function removeDefinitions(api: Api, say: (line: string) => void): Promise<void> {
  for (const { group, version, plural } of KINDS.filter(isShared)) {
    const name = `${plural}.${group}`;
    const path = `/apis/apiextensions.k8s.io/v1/customresourcedefinitions/${name}`;
    try {
      const stranger = strangerOf(await getObject<StoredDefinition>(api, path));
      const objects = await listObjects(api, `/apis/${group}/${version}/${plural}`, { limit: "1" });
      if (stranger) say(`the definition ${name} stays: it belongs to ${stranger}`);
      else if (objects.length > 0)
        say(`the definition ${name} stays: it has objects that the deployment did not create`);
      else await deleteObject(api, path);
    } catch (error) {
      if (!isRefusal(error, 404)) throw error;
    }
  }
}
