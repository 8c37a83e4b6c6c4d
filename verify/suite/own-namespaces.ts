// The suite's namespaces have fixed names, and one of them admits pods with every right while a run lasts.
import type { V1Namespace } from "@kubernetes/client-node";
import { createObject } from "../../kubernetes/create.ts";
import { deleteObject } from "../../kubernetes/delete.ts";
import { ApiRefusal } from "../../kubernetes/errors.ts";
import { findObject, unlessMissing } from "../../kubernetes/get.ts";
import { type Clock, realClock, until } from "../../kubernetes/patience.ts";
import type { Api } from "../../kubernetes/transport.ts";
import { MADE_BY } from "../engine/ledger.ts";
import { NAMESPACE, OTHER } from "./objects.ts";

/** A namespace of the suite belongs to somebody else. */
export class NotOwn extends Error {}

const GONE_SECONDS = 180;

/** Removes the remains of a killed run, with everything else in the namespace: a user who created such a namespace before could start
 * privileged pods in it as soon as the suite takes it over.
 * @throws NotOwn */
export async function clearNamespaces(api: Api, clock: Clock = realClock): Promise<void> {
  const names = [NAMESPACE, OTHER];
  const found = await Promise.all(names.map((name) => findObject<V1Namespace>(api, pathOf(name))));
  for (const namespace of found)
    if (namespace && namespace.metadata?.annotations?.[MADE_BY] === undefined)
      throw new NotOwn(
        `the namespace ${namespace.metadata?.name} exists and is not of this suite, which would let its pods be privileged. Next: kubectl get all -n ${namespace.metadata?.name}; remove it, if nobody needs it`,
      );
  const left = names.filter((_, index) => found[index]);
  for (const name of left) await unlessMissing(deleteObject(api, pathOf(name)));
  const there = async (name: string) => ((await findObject(api, pathOf(name))) ? name : undefined);
  const look = async () => (await Promise.all(left.map(there))).find(Boolean);
  const name = await until(look, GONE_SECONDS, () => {}, { clock, everyMs: 1_000 });
  if (name)
    throw new NotOwn(
      `the namespace ${name} of an earlier run is still being removed. Next: kubectl get namespace ${name} -o yaml`,
    );
}

/** Creates the namespaces, so that no other user does: the suite admits privileged pods in the first one.
 * @throws NotOwn */
export async function makeNamespaces(api: Api): Promise<void> {
  const made: string[] = [];
  for (const name of [NAMESPACE, OTHER]) {
    const metadata = { name, annotations: { [MADE_BY]: "true" } };
    try {
      await createObject(api, "/api/v1/namespaces", { apiVersion: "v1", kind: "Namespace", metadata });
    } catch (error) {
      for (const own of made) await unlessMissing(deleteObject(api, pathOf(own)));
      if (!(error instanceof ApiRefusal && error.status === 409)) throw error;
      throw new NotOwn(
        `somebody else has just made the namespace ${name}. Next: kubectl get namespace ${name} -o yaml`,
      );
    }
    made.push(name);
  }
}

const pathOf = (name: string): string => `/api/v1/namespaces/${name}`;
