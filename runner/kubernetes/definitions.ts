// Definitions (CustomResourceDefinition) under names that others use too. They are never taken over from another owner, and not deleted
// while objects of them exist.
import { type StoredDefinition, strangerOf } from "../../components/dataplane/definition-owner.ts";
import { findObject, listObjects, unlessMissing } from "../../kubernetes/get.ts";
import type { ApiObject } from "../../kubernetes/object.ts";
import type { Api } from "../../kubernetes/transport.ts";
import { isShared } from "../../model/objects/kinds.ts";
import { RunnerFailure } from "../failure.ts";
import type { Operation } from "../operation.ts";

export const isDefinition = ({ kind }: { kind?: string }): boolean => kind === "CustomResourceDefinition";

/** Pulumi retains definitions that others use too, because it does not know whether objects of them exist; this runner checks. */
export const isRetained = ({ retainOnDelete, inputs, custom }: Operation): boolean =>
  custom && retainOnDelete === true && !isDefinition(inputs);

/** Refuses to apply a definition over another owner's. */
export async function refuseStrangers(api: Api, path: string): Promise<void> {
  const live = await findObject<ApiObject>(api, path);
  const stranger = live && strangerOf(live as StoredDefinition);
  if (!stranger) return;
  const name = live.metadata?.name;
  throw new RunnerFailure(`the definition ${name} already exists and belongs to ${stranger}; it was not changed`, {
    next: `if its owner is permanently gone, save its objects (kubectl get ${name} -o yaml), then kubectl delete crd ${name}`,
  });
}

/** Why a definition of a shared group is not deleted; undefined if it can be deleted. */
export async function whyKept(api: Api, path: string): Promise<string | undefined> {
  const live = await findObject<ApiObject>(api, path);
  const { group, names, versions } = (live?.spec ?? {}) as Definition;
  if (!live || !isShared({ group })) return undefined;
  const stranger = strangerOf(live as StoredDefinition);
  if (stranger) return `it belongs to ${stranger}`;
  const collection = `/apis/${group}/${versions[0]?.name}/${names.plural}`;
  const objects = await unlessMissing(listObjects(api, collection, { limit: "1" }));
  return (objects ?? []).length > 0 ? "it holds objects that are not this stack's" : undefined;
}

interface Definition {
  group: string;
  names: { plural: string };
  versions: { name: string }[];
}
