import { type StoredDefinition, strangerOf } from "../components/dataplane/definition-owner.ts";
import { KINDS } from "../components/dataplane/kinds.ts";
import { deleteObject } from "../kubernetes/delete.ts";
import { isRefusal } from "../kubernetes/errors.ts";
import { getObject, listObjects } from "../kubernetes/get.ts";
import type { Api } from "../kubernetes/transport.ts";
import { apiVersionOf, CALICO_API } from "../model/objects/kinds.ts";

/** Deletes the definitions of a group that others use too, where they are this package's alone and hold no object: Pulumi leaves them. */
export async function removeDefinitions(api: Api, say: (line: string) => void): Promise<void> {
  for (const { group, version, plural } of KINDS.filter((kind) => apiVersionOf(kind) === CALICO_API)) {
    const name = `${plural}.${group}`;
    const path = `/apis/apiextensions.k8s.io/v1/customresourcedefinitions/${name}`;
    try {
      const stranger = strangerOf(await getObject<StoredDefinition>(api, path));
      const objects = await listObjects(api, `/apis/${group}/${version}/${plural}`, { limit: "1" });
      if (stranger) say(`the definition ${name} stays: it belongs to ${stranger}`);
      else if (objects.length > 0)
        say(`the definition ${name} stays: it holds objects that the deployment did not make`);
      else await deleteObject(api, path);
    } catch (error) {
      if (!isRefusal(error, 404)) throw error;
    }
  }
}
