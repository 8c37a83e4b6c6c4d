import { applyObject as applyServerSide } from "../../kubernetes/apply.ts";
import { deleteObject as deleteAt } from "../../kubernetes/delete.ts";
import { Discovery, UnknownKind } from "../../kubernetes/discovery.ts";
import { type ApiRefusal, isAway, isRefusal } from "../../kubernetes/errors.ts";
import { findObject, getObject, unlessMissing } from "../../kubernetes/get.ts";
import { defaultAccess, kubeconfigOf } from "../../kubernetes/kubeconfig.ts";
import type { ApiObject } from "../../kubernetes/object.ts";
import { type Clock, patiently, realClock, until } from "../../kubernetes/patience.ts";
import { explainPods } from "../../kubernetes/pod-trouble.ts";
import { type Api, ApiServer } from "../../kubernetes/transport.ts";
import { RunnerFailure } from "../failure.ts";
import type { Handler, Operation, Progress } from "../operation.ts";
import { say } from "../terminal.ts";
import { isDefinition, refuseStrangers, whyKept } from "./definitions.ts";
import { withPresent } from "./ignored.ts";
import { removeFormer, resourceLabel } from "./moved.ts";
import { readiness } from "./readiness.ts";
import { FIELD_MANAGER, removalLabel, STACK_LABEL } from "./stack-label.ts";
import { idOf, wireObject } from "./wire-object.ts";

/** Milliseconds that an object may take to become ready. */
const READY_TIMEOUT = 5 * 60_000;
const POLL = 500;
/** A new cluster, or one whose API server restarts, refuses connections for a moment, on a busy computer for longer. */
const AWAY_MS = 30_000;
/** The reason why a deleted object still exists. */
const HELD = "is still there: something holds it (see metadata.finalizers)";
/** The API server does not know a new kind immediately; this time is enough. */
const NEW_KIND_MS = 30_000;

/** A cluster: its API server and what is known about its kinds. */
export interface Cluster {
  api: Api;
  discovery: Discovery;
  /** Identities (metadata.uid) of the objects that this run applied. */
  made: Set<string>;
}

/** @param kubeconfig YAML; absent: the one that kubectl would use. @param folder base of relative paths in it */
export function clusterOf(kubeconfig?: string, context?: string, folder?: string): Cluster {
  const access = kubeconfig === undefined ? defaultAccess(context) : kubeconfigOf(kubeconfig, folder, context);
  const api = new ApiServer(access);
  return { api, discovery: new Discovery(api), made: new Set() };
}

/**
 * Applies objects server-side and waits until they are ready.
 * @param clusterFor finds the cluster of a provider reference (`urn::id`, empty for the default provider).
 * @param stackLabel identifies the objects' stack, for prune(); absent: no stack.
 */
export function applyObject(
  clusterFor: (provider: string) => Cluster,
  stackLabel?: string,
  clock = realClock,
): Handler {
  return async (operation, progress, signal) => {
    const wanted = wireObject(operation);
    const marks =
      stackLabel === undefined
        ? {}
        : { [STACK_LABEL]: stackLabel, ...removalLabel(operation), ...resourceLabel(operation) };
    const object = labelled(wanted, marks);
    const cluster = clusterFor(operation.provider);
    const path = await pathOf(cluster, object, signal);
    if (isDefinition(object)) await whileAway(signal, () => refuseStrangers(cluster.api, path));
    if (stackLabel !== undefined) await removeFormer(cluster, path, object, operation, stackLabel);
    const send = async () => {
      const body = await withIgnored(cluster.api, path, object, operation.ignoreChanges);
      return applyServerSide<ApiObject>(cluster.api, path, body, FIELD_MANAGER);
    };
    const replaced = async (error: unknown) => {
      if (!isImmutable(error) || !operation.deleteBeforeReplace) throw error;
      if (operation.protect) throw new RunnerFailure(`${error.words}; it is protected, and was not replaced`);
      say(`  ${object.kind} ${object.metadata?.name} is replaced: ${error.words}`);
      await deleteObject(cluster, operation, stackLabel, signal);
      return whileAway(signal, send);
    };
    const applied = await whileAway(signal, send).catch(replaced);
    const { uid } = applied.metadata ?? {};
    if (uid !== undefined) cluster.made.add(uid);
    const live = await ready(cluster, path, applied, operation, progress, { clock, signal });
    return { id: idOf(live), state: live };
  };
}

function labelled(object: ApiObject, labels: Record<string, string>): ApiObject {
  if (Object.keys(labels).length === 0) return object;
  const { metadata } = object;
  return { ...object, metadata: { ...metadata, labels: { ...metadata?.labels, ...labels } } };
}

/** The stored object's version is sent too: if the object changed in between, the API server refuses, and the new version is checked. */
async function withIgnored(api: Api, path: string, object: ApiObject, paths?: string[]): Promise<ApiObject> {
  const live = paths && (await findObject<ApiObject>(api, path));
  if (!live) return object;
  // `managedFields` must not be sent.
  const { managedFields: _, ...metadata } = live.metadata as { managedFields?: unknown; resourceVersion?: string };
  const kept = withPresent(object, { ...live, metadata } as ApiObject, paths);
  const { resourceVersion } = metadata;
  return { ...kept, metadata: { ...kept.metadata, ...(resourceVersion && { resourceVersion }) } } as ApiObject;
}

/** Whether the API server refused because a field cannot be changed, which it says in these words. */
function isImmutable(error: unknown): error is ApiRefusal {
  return isRefusal(error, 422) && /immutable|may not be changed|updates to .* are forbidden/i.test(error.words);
}

/**
 * Deletes an object with its dependents, and waits until it is gone; a missing object is not an error.
 * @param stackLabel identifies the stack: objects of other stacks belong to another deployment or cluster and are not deleted.
 */
export async function deleteObject(
  cluster: Cluster,
  operation: Operation,
  stackLabel: string | undefined,
  signal: AbortSignal,
  clock = realClock,
): Promise<void> {
  const object = wireObject(operation);
  const { api } = cluster;
  const path = await unlessMissing(cluster.discovery.path(object));
  const found = path && (await findObject<ApiObject>(api, path));
  if (!path || !found) return;
  const owner = found.metadata?.labels?.[STACK_LABEL];
  if (owner !== undefined && owner !== stackLabel) {
    const next = "is this the kubeconfig of this stack's cluster?";
    throw new RunnerFailure(`is the stack ${owner}'s, not ${stackLabel}'s: ${next}`);
  }
  const kept = isDefinition(object) ? await whyKept(api, path) : undefined;
  if (kept) return say(`  ${object.metadata?.name} stays: ${kept}`);
  await unlessMissing(deleteAt(api, path, { propagationPolicy: "Foreground" }));
  const look = async () => ((await findObject(api, path)) ? HELD : undefined);
  const unlessAway = (error: unknown): string => {
    if (isAway(error)) return `may still be there: ${error.message}`;
    throw error;
  };
  const limit = (operation.deleteTimeout ?? READY_TIMEOUT) / 1000;
  const left = await until(
    () => look().catch(unlessAway),
    limit,
    () => {},
    { everyMs: POLL, clock, signal },
  );
  if (left) throw new RunnerFailure(left);
}

/** An object's path in the API. */
async function pathOf({ discovery }: Cluster, object: ApiObject, signal: AbortSignal): Promise<string> {
  const limitMs = (error: Error) => (error instanceof UnknownKind ? NEW_KIND_MS : 0);
  try {
    return await patiently(() => discovery.path(object), { limitMs, everyMs: 1000, signal });
  } catch (error) {
    if (!(error instanceof UnknownKind)) throw error;
    const next = "check apiVersion and kind, and that its CustomResourceDefinition comes first (dependsOn)";
    throw new RunnerFailure(`the API server has no kind ${object.kind} in ${object.apiVersion}`, { next });
  }
}

async function whileAway<T>(signal: AbortSignal, attempt: () => Promise<T>): Promise<T> {
  const limitMs = (error: Error) => (isAway(error) || isRefusal(error, 409) ? AWAY_MS : 0);
  return patiently(attempt, { limitMs, everyMs: POLL, signal });
}

/** What an applied object still lacks. */
class NotReady extends Error {
  readonly live: ApiObject;
  readonly hopeless: boolean;

  constructor(reason: string, live: ApiObject, hopeless = false) {
    super(reason);
    this.live = live;
    this.hopeless = hopeless;
  }
}

/** If the API server does not answer, the object's own timeout applies too: applied objects become ready without this program. */
async function ready(
  { api }: Cluster,
  path: string,
  applied: ApiObject,
  operation: Operation,
  progress: Progress,
  when: { clock: Clock; signal: AbortSignal },
): Promise<ApiObject> {
  const limit = operation.timeout ?? READY_TIMEOUT;
  let next: ApiObject | undefined = applied;
  const look = async (): Promise<ApiObject> => {
    const live = next ?? (await getObject<ApiObject>(api, path));
    next = undefined;
    const state = readiness(live);
    if (state.ready) return live;
    throw new NotReady(state.reason, live, state.hopeless);
  };
  const limitMs = (error: Error) => (isAway(error) || (error instanceof NotReady && !error.hopeless) ? limit : 0);
  const waiting = async (error: Error): Promise<void> => {
    if (!progress.reportDue()) return;
    const pods = error instanceof NotReady ? await explained(api, error.live) : [];
    progress.waiting([error.message, ...pods].join("\n      "));
  };
  try {
    return await patiently(look, { limitMs, everyMs: POLL, waiting, ...when });
  } catch (error) {
    if (!(error instanceof NotReady)) throw error;
    const after = error.hopeless ? "" : ` after ${limit / 1000} s`;
    const pods = await explained(api, error.live);
    throw new RunnerFailure([`not ready${after}: ${error.message}`, ...pods].join("\n"));
  }
}

/** These texts only explain a failure: if the API server is too busy to list pods, that decides nothing. */
const explained = (api: Api, live: ApiObject): Promise<string[]> =>
  explainPods(api, live).catch(({ message }: Error) => [`its pods cannot be listed: ${message}`]);
