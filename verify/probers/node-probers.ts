import { randomBytes } from "node:crypto";
import type { V1Namespace, V1Pod } from "@kubernetes/client-node";
import { isAway, reasonOf } from "../../kubernetes/errors.ts";
import { listObjects } from "../../kubernetes/get.ts";
import type { Kubeconfig } from "../../kubernetes/kubeconfig.ts";
import { type Clock, until } from "../../kubernetes/patience.ts";
import type { ApiServer } from "../../kubernetes/transport.ts";
import type { NodeActor } from "../actors/actor.ts";
import { type Objects, objectsOf } from "../cluster/objects.ts";
import { PROBER_LABELS, proberDaemonSet, proberNamespace } from "./daemon-set.ts";
import { proberImage } from "./image.ts";
import { nodeActor } from "./node-actor.ts";

/** From the DaemonSet's creation until a pod runs: an image may have to be pulled. */
const startMs = 120_000;
const pauseMs = 250;
/** A broken node delays the others no longer than this. */
const headStartMs = 15_000;
/** Until pods are gone, or until an unreachable API server answers again. */
const removeMs = 60_000;
/** Remains of killed runs are older than any active run: a verification ends within an hour. */
const staleMs = 3 * 3600 * 1000;

const OWN_NAME = /^ebpf-dataplane-probe-[0-9a-f]{8}$/;

/** Runs probes and captures of nodes and their pods in separate pods on every node. They are created when first needed, in a separate
 * namespace that is removed at the end, and use nothing of the dataplane under test. */
export class NodeProbers {
  readonly #api: ApiServer<Kubeconfig>;
  readonly #objects: Objects;
  readonly #clock: Clock;
  readonly #image: string | undefined;
  readonly #namespace = `ebpf-dataplane-probe-${randomBytes(4).toString("hex")}`;
  #made: Promise<void> | undefined;
  #touched = false;
  /** Deadline for pods to run. */
  #deadline = 0;

  /** @param image of the pods; absent: as `proberImage` finds it */
  constructor(api: ApiServer<Kubeconfig>, clock: Clock, image?: string) {
    this.#api = api;
    this.#objects = objectsOf(api);
    this.#clock = clock;
    this.#image = image;
  }

  /** A node's prober; if it does not run, its first use rejects with the reason. */
  on(node: string): NodeActor {
    return nodeActor(this.#api, node, async () => {
      await this.#make();
      return this.#podOn(node);
    });
  }

  /** Creates them in advance. Resolves when all run, or after a timeout: using one that does not run then throws the reason. */
  async start(): Promise<void> {
    try {
      await this.#make();
      await this.#until(async () => {
        const pods = await this.#pods();
        return pods.length > 0 && pods.every(isRunning) ? undefined : "pods to run";
      }, headStartMs);
    } catch {
      // Each use of a prober tries again, and gets the error.
    }
  }

  /** Removes the created objects. @returns why they may still exist; undefined when they are gone, or were never created */
  async remove(): Promise<string | undefined> {
    await this.#made?.catch(() => {});
    if (!this.#touched) return undefined;
    let lastError: unknown;
    const look = async (): Promise<string | undefined> => {
      lastError = undefined;
      try {
        await this.#objects.delete(proberNamespace(this.#namespace));
        if ((await this.#pods()).length === 0) return undefined;
      } catch (error) {
        lastError = error;
        if (!isAway(error)) throw error;
      }
      return `pods of namespace ${this.#namespace} are still ending`;
    };
    const missing = await this.#until(look, removeMs).catch(() => "");
    if (lastError === undefined) return missing;
    return `namespace ${this.#namespace} could not be removed: ${reasonOf(lastError)}. Next: kubectl delete namespace ${this.#namespace}`;
  }

  #until(look: () => Promise<string | undefined>, milliseconds: number): Promise<string | undefined> {
    return until(look, milliseconds / 1000, () => {}, { clock: this.#clock, everyMs: pauseMs });
  }

  #make(): Promise<void> {
    this.#made ??= this.#create().catch((error) => {
      this.#made = undefined; // an unreachable API server may answer again
      throw new Error(`probers cannot be started on nodes: ${reasonOf(error)}`);
    });
    return this.#made;
  }

  async #create(): Promise<void> {
    const { apply } = this.#objects;
    await this.#removeStale();
    const image = await proberImage(this.#api, this.#image);
    this.#touched = true;
    await apply(proberNamespace(this.#namespace));
    await apply(proberDaemonSet(this.#namespace, image));
    this.#deadline = this.#clock.now() + startMs;
  }

  async #removeStale(): Promise<void> {
    const [[label, value]] = Object.entries(PROBER_LABELS) as [[string, string]];
    const all = await listObjects<V1Namespace>(this.#api, "/api/v1/namespaces", { labelSelector: `${label}=${value}` });
    const names = all
      .filter(({ metadata }) => Date.now() - Date.parse(String(metadata?.creationTimestamp)) > staleMs)
      .map(({ metadata }) => metadata?.name ?? "");
    // Any namespace can have this label: the name must also have this class's form.
    for (const name of names.filter((name) => OWN_NAME.test(name))) await this.#objects.delete(proberNamespace(name));
  }

  async #podOn(node: string): Promise<V1Pod> {
    let running: V1Pod | undefined;
    const look = async (): Promise<string | undefined> => {
      const pod = (await this.#pods()).find(({ spec }) => spec?.nodeName === node || isMeantFor(spec, node));
      running = pod && isRunning(pod) ? pod : undefined;
      return running ? undefined : whyNot(pod);
    };
    const missing = await this.#until(look, this.#deadline - this.#clock.now());
    if (!running) throw new Error(`the prober on node ${node} does not run: ${missing}`);
    return running;
  }

  /** A collection in a namespace that is gone is empty. */
  #pods(): Promise<V1Pod[]> {
    return listObjects<V1Pod>(this.#api, `/api/v1/namespaces/${this.#namespace}/pods`);
  }
}

const isRunning = ({ metadata, status }: V1Pod): boolean =>
  status?.phase === "Running" &&
  !metadata?.deletionTimestamp &&
  (status.containerStatuses ?? []).some(({ state }) => state?.running !== undefined);

/** A pod of a DaemonSet that is not scheduled yet names its node in its affinity only. */
function isMeantFor(spec: V1Pod["spec"], node: string): boolean {
  const terms = spec?.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms ?? [];
  return terms.some(({ matchFields = [] }) =>
    matchFields.some(({ key, values = [] }) => key === "metadata.name" && values.includes(node)),
  );
}

/** As kubectl describe would show it. */
function whyNot(pod: V1Pod | undefined): string {
  if (!pod) return "the DaemonSet has no pod there";
  const [status] = pod.status?.containerStatuses ?? [];
  const { reason, message } = status?.state?.waiting ?? status?.state?.terminated ?? {};
  const scheduled = pod.status?.conditions?.find(({ type, status }) => type === "PodScheduled" && status === "False");
  const words = [pod.status?.phase, reason, message ?? scheduled?.message].filter(Boolean).join(", ");
  const image = pod.spec?.containers[0]?.image;
  return `${words} (image ${image}; --probe-image selects another one)`;
}
