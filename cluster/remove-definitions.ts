import { ApiextensionsV1Api, CustomObjectsApi, type KubeConfig } from "@kubernetes/client-node";
import { strangerOf } from "../components/dataplane/definition-owner.ts";
import { KINDS } from "../components/dataplane/kinds.ts";
import { CALICO_API } from "../components/dataplane/names.ts";
import { isNotFound } from "./kubeconfig.ts";

/** Deletes the definitions of a group that others use too, where they are this package's alone and hold no object: Pulumi leaves them. */
export async function removeDefinitions(config: KubeConfig, say: (line: string) => void): Promise<void> {
  const api = config.makeApiClient(ApiextensionsV1Api);
  const objects = config.makeApiClient(CustomObjectsApi);
  for (const { group, version, plural } of KINDS.filter((kind) => `${kind.group}/${kind.version}` === CALICO_API)) {
    const name = `${plural}.${group}`;
    try {
      const stranger = strangerOf(await api.readCustomResourceDefinition({ name }));
      const { items } = (await objects.listClusterCustomObject({ group, version, plural, limit: 1 })) as {
        items: unknown[];
      };
      if (stranger) say(`the definition ${name} stays: it belongs to ${stranger}`);
      else if (items.length > 0) say(`the definition ${name} stays: it holds objects that the deployment did not make`);
      else await api.deleteCustomResourceDefinition({ name });
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
  }
}
