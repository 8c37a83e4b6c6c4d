import { deleteObject } from "../../kubernetes/delete.ts";
import type { DeletableKind } from "../../kubernetes/discovery.ts";
import { isRefusal } from "../../kubernetes/errors.ts";
import { findObject, listObjects } from "../../kubernetes/get.ts";
import type { ApiObject } from "../../kubernetes/object.ts";
import { type Clock, realClock, until } from "../../kubernetes/patience.ts";
import { RunnerFailure } from "../failure.ts";
import { type ResourceReport, say } from "../terminal.ts";
import type { Cluster } from "./apply.ts";
import { isDefinition, whyKept } from "./definitions.ts";
import { FIELD_MANAGER, REMOVAL_LABEL, STACK_LABEL } from "./stack-label.ts";
import { idOf } from "./wire-object.ts";

/** An object that an earlier run created, and its path. */
export interface Leftover {
  kind: string;
  path: string;
  uid: string;
  /** `ebpf-dataplane/kube-proxy`, for people. */
  name: string;
  /** The option with which the object was made: Protect, Retain. */
  removal: string | undefined;
}

interface Metadata {
  name: string;
  labels?: Record<string, string>;
  namespace?: string;
  uid: string;
  deletionTimestamp?: string;
  ownerReferences?: { controller?: boolean }[];
  managedFields?: { manager?: string; operation?: string }[];
}

const POLL = 300;
/** Milliseconds that a deletion may take. */
const GONE_MS = 2 * 60_000;
/** Milliseconds that all deletions of a run may take: the labels are not secret, and a finalizer can hold an object for ever. */
const ALL_GONE_MS = 10 * 60_000;

/** Dependent kinds are deleted first; kinds whose deletion removes other objects last. */
const FIRST = ["DaemonSet", "Deployment", "StatefulSet", "Job", "Pod"];
const LAST = ["ServiceAccount", "ConfigMap", "Secret", "Namespace", "CustomResourceDefinition"];

/**
 * Removes objects that earlier runs of this stack created and this run did not apply: objects with the stack's label, applied by this runner's
 * field manager, that no controller owns. Nothing else is ever touched.
 * @returns how many were removed
 * @throws RunnerFailure that names those which are protected, after the others are gone
 */
export async function prune(
  cluster: Cluster,
  label: string,
  report: (title: string) => ResourceReport,
  clock: Clock = realClock,
): Promise<number> {
  const all = (await labelled(cluster, label)).sort((one, other) => rank(one) - rank(other));
  const leftovers = all.filter(({ removal }) => removal === undefined);
  for (const { kind, name } of all.filter(({ removal }) => removal === "Retain"))
    say(`  ${kind} ${name}: no longer in the program, stays (retainOnDelete)`);
  const deadline = clock.now() + ALL_GONE_MS;
  for (const leftover of leftovers) {
    // A definition that holds objects of others stays when it is removed from the program.
    if (isDefinition(leftover) && (await whyKept(cluster.api, leftover.path))) continue;
    const progress = report(`${leftover.kind} ${leftover.name}: no longer in the program, removed`);
    const left = await remove(cluster, leftover, Math.max(0, Math.min(GONE_MS, deadline - clock.now())), clock);
    if (left) say(`  ${leftover.kind} ${leftover.name}: deleted, but ${left} (see metadata.finalizers)`);
    else progress.done();
  }
  const kept = all.filter(({ removal }) => removal === "Protect").map(({ kind, name }) => `${kind} ${name}`);
  if (kept.length > 0)
    throw new RunnerFailure(`no longer in the program, but protected: ${kept.join(", ")}`, {
      next: "put them back with protect: false, run `up`, and take them out then",
    });
  return leftovers.length;
}

async function labelled(cluster: Cluster, label: string): Promise<Leftover[]> {
  const kinds = await cluster.discovery.deletable();
  const lists = await Promise.all(kinds.map((kind) => leftoversAt(cluster, kind, `${STACK_LABEL}=${label}`)));
  // The API server shows some kinds in several groups.
  return [...new Map(lists.flat().map((leftover) => [leftover.uid, leftover])).values()];
}

/** Objects of one kind that this runner made and this run did not apply. */
export async function leftoversAt(
  cluster: Cluster,
  { kind, name, namespaced, groupPath }: Pick<DeletableKind, "kind" | "name" | "namespaced" | "groupPath">,
  labelSelector: string,
): Promise<Leftover[]> {
  const objects = await listed(cluster, `${groupPath}/${name}`, { labelSelector });
  return objects
    .filter(({ metadata }) => isOurs(metadata) && !cluster.made.has(metadata.uid))
    .map(({ metadata }) => {
      const folder = namespaced ? `${groupPath}/namespaces/${metadata.namespace}/${name}` : `${groupPath}/${name}`;
      const removal = metadata.labels?.[REMOVAL_LABEL];
      return { kind, path: `${folder}/${metadata.name}`, uid: metadata.uid, name: idOf({ metadata }), removal };
    });
}

/** A user who may not list a kind cannot have created objects of it. */
async function listed(
  { api }: Cluster,
  path: string,
  query: Record<string, string>,
): Promise<{ metadata: Metadata }[]> {
  return listObjects<{ metadata: Metadata }>(api, path, query).catch((error: unknown) => {
    if (isRefusal(error, 403, 404, 405)) return [];
    throw error;
  });
}

/** Controllers copy labels to objects that they create: an EndpointSlice has its Service's. */
function isOurs({ managedFields = [], ownerReferences = [], deletionTimestamp }: Metadata): boolean {
  const applied = managedFields.some(({ manager, operation }) => manager === FIELD_MANAGER && operation === "Apply");
  return applied && !deletionTimestamp && !ownerReferences.some(({ controller }) => controller);
}

/** Deletes the object, and waits until it is gone. @returns why it still exists after the timeout */
export async function remove(
  { api }: Cluster,
  { path, uid }: Leftover,
  limitMs = GONE_MS,
  clock: Clock = realClock,
): Promise<string | undefined> {
  try {
    // Exactly the object that was checked: an object re-created since under the same name is not ours.
    await deleteObject(api, path, { propagationPolicy: "Foreground", preconditions: { uid } });
  } catch (error) {
    if (isRefusal(error, 404, 409)) return undefined;
    throw error;
  }
  const look = async () => {
    const live = await findObject<ApiObject>(api, path);
    return live?.metadata?.uid === uid ? "it is still there" : undefined;
  };
  return until(look, limitMs / 1000, () => {}, { everyMs: POLL, clock });
}

function rank({ kind }: Leftover): number {
  if (FIRST.includes(kind)) return -1;
  return LAST.indexOf(kind) + 1;
}
