import { setTimeout as sleep } from "node:timers/promises";
import { RunnerFailure } from "../failure.ts";
import type { Handler, Operation, Progress } from "../operation.ts";
import { say } from "../terminal.ts";
import { type ApiObject, ApiRefusal, ApiServer, ApiUnreachable } from "./api-server.ts";
import { isDefinition, refuseStrangers, whyKept } from "./definitions.ts";
import { Discovery } from "./discovery.ts";
import { explainPods } from "./pod-trouble.ts";
import { readiness } from "./readiness.ts";
import { STACK_LABEL } from "./stack-label.ts";
import { wireObject } from "./wire-object.ts";

/** Owner of every field that this runner sets; what a later run leaves out is removed. */
export const FIELD_MANAGER = "ebpf-dataplane-runner";
/** Milliseconds that an object may take to become ready. */
const READY_TIMEOUT = 5 * 60_000;
const POLL = 500;

/** A cluster: its API server and what is known about its kinds. */
export interface Cluster {
  server: ApiServer;
  discovery: Discovery;
  /** Identities (metadata.uid) of what this run applied. */
  made: Set<string>;
}

export function clusterOf(kubeconfig?: string, context?: string): Cluster {
  const server = new ApiServer(kubeconfig, context);
  return { server, discovery: new Discovery(server), made: new Set() };
}

/**
 * Applies objects server-side and waits until they are ready.
 * @param clusterFor finds the cluster of a provider reference (`urn::id`, empty for the default provider).
 * @param stackLabel says whose the objects are, for prune(); absent: nobody's.
 */
export function applyObject(clusterFor: (provider: string) => Cluster, stackLabel?: string): Handler {
  return async (operation, progress, signal) => {
    const object = stackLabel === undefined ? wireObject(operation) : labelled(wireObject(operation), stackLabel);
    const cluster = clusterFor(operation.provider);
    const path = await cluster.discovery.path(object);
    if (isDefinition(object)) await whileUnreachable(signal, () => refuseStrangers(cluster.server, path));
    const applied = await whileUnreachable(signal, () => serverSideApply(cluster, path, object));
    const { uid } = applied.metadata ?? {};
    if (uid !== undefined) cluster.made.add(uid);
    const live = await ready(cluster, path, applied, operation, progress, signal);
    return { id: idOf(live), state: live };
  };
}

function labelled(object: ApiObject, value: string): ApiObject {
  const { metadata } = object;
  return { ...object, metadata: { ...metadata, labels: { ...metadata?.labels, [STACK_LABEL]: value } } };
}

/**
 * Deletes an object with what it owns, and waits until it is gone; one that is not there is fine.
 * @param stackLabel says whose objects are deleted: another stack's are not, they are of another deployment or another cluster.
 */
export async function deleteObject(
  cluster: Cluster,
  operation: Operation,
  stackLabel: string,
  signal: AbortSignal,
): Promise<void> {
  const object = wireObject(operation);
  const deadline = Date.now() + (operation.timeout ?? READY_TIMEOUT);
  try {
    const path = await cluster.discovery.path(object);
    const owner = (await cluster.server.send("GET", path)).metadata?.labels?.[STACK_LABEL];
    if (owner !== undefined && owner !== stackLabel) {
      const next = "is this the kubeconfig of this stack's cluster?";
      throw new RunnerFailure(`is the stack ${owner}'s, not ${stackLabel}'s: ${next}`);
    }
    const kept = isDefinition(object) ? await whyKept(cluster.server, path) : undefined;
    if (kept) return say(`  ${object.metadata?.name} stays: ${kept}`);
    await cluster.server.send("DELETE", path, { propagationPolicy: "Foreground" });
    while (Date.now() < deadline) {
      await cluster.server.send("GET", path);
      await sleep(POLL, undefined, { signal });
    }
  } catch (error) {
    if (error instanceof ApiRefusal && error.status === 404) return;
    throw error;
  }
  throw new RunnerFailure("is still there: something holds it (see metadata.finalizers)");
}

async function serverSideApply({ server }: Cluster, path: string, object: ApiObject): Promise<ApiObject> {
  const query = new URLSearchParams({ fieldManager: FIELD_MANAGER, force: "true", fieldValidation: "Strict" });
  return server.send("PATCH", `${path}?${query}`, object, "application/apply-patch+yaml");
}

/** A cluster that was just made, or whose API server restarts, refuses connections for a moment. */
async function whileUnreachable<T>(signal: AbortSignal, attempt: () => Promise<T>): Promise<T> {
  for (let left = 20; ; left--) {
    try {
      return await attempt();
    } catch (error) {
      const passing = error instanceof ApiUnreachable || (error instanceof ApiRefusal && error.status >= 500);
      if (!passing || left === 0) throw error;
      await sleep(POLL, undefined, { signal });
    }
  }
}

async function ready(
  cluster: Cluster,
  path: string,
  applied: ApiObject,
  operation: Operation,
  progress: Progress,
  signal: AbortSignal,
): Promise<ApiObject> {
  const limit = operation.timeout ?? READY_TIMEOUT;
  const deadline = Date.now() + limit;
  let live = applied;
  for (;;) {
    const state = readiness(live);
    if (state.ready) return live;
    const late = Date.now() > deadline;
    const pods = late || state.hopeless || progress.reportDue() ? await explainPods(cluster.server, live) : [];
    if (late || state.hopeless) {
      const after = state.hopeless ? "" : ` after ${limit / 1000} s`;
      throw new RunnerFailure([`not ready${after}: ${state.reason}`, ...pods].join("\n"));
    }
    if (progress.reportDue()) progress.waiting([state.reason, ...pods].join("\n      "));
    await sleep(POLL, undefined, { signal });
    live = await whileUnreachable(signal, () => cluster.server.send("GET", path));
  }
}

function idOf({ metadata }: ApiObject): string {
  return metadata?.namespace ? `${metadata.namespace}/${metadata.name}` : `${metadata?.name}`;
}
