import { isAway, isRefusal } from "../../kubernetes/errors.ts";
import { patchObject } from "../../kubernetes/patch.ts";
import type { Api } from "../../kubernetes/transport.ts";
import type { Problem } from "../../model/problem.ts";
import type { StatusChange } from "../../model/service/balancer/claimants.ts";

/** Another controller that writes the same status writes it again after each of ours. So the same status is written again once at once, then only after a pause, which doubles. */
const FIRST_PAUSE_MS = 2_000;
const LONGEST_PAUSE_MS = 60_000;
/** What was written so long ago counts no more. */
const FORGOTTEN_MS = 600_000;
/** How often the same status is written before the Service is told. */
const TOLD_AFTER = 3;

/** What an API server answers where a webhook of this Service's namespace does not. */
const FAILED_WEBHOOK = 500;

interface Written {
  readonly text: string;
  /** How often since it was another. */
  readonly times: number;
  readonly at: number;
  /** Whether the Service has not shown it yet: it is not written again until then. */
  readonly isAwaited: boolean;
}

/** Writes load balancer addresses to the statuses of Services, and no other field. */
export class Statuses {
  readonly #api: Api;
  readonly #now: () => number;
  readonly #written = new Map<string, Written>();
  #problems: readonly Problem[] = [];

  /** @param now in milliseconds */
  constructor(api: Api, now: () => number = () => performance.now()) {
    this.#api = api;
    this.#now = now;
  }

  /** Of Services whose status another controller writes as well. */
  get problems(): readonly Problem[] {
    return this.#problems;
  }

  /** Writes all that it can. Takes what is to be written, whole: a status that is not among it is as it is to be.
   * @returns why others were refused, "Service default/web: …"; they are tried again at the next call. @throws KubernetesError if the API server is away */
  async write(changes: readonly StatusChange[]): Promise<readonly string[]> {
    const now = this.#now();
    const wanted = new Set(changes.map(keyOf));
    for (const [key, written] of this.#written) {
      if (now - written.at > FORGOTTEN_MS) this.#written.delete(key);
      else if (!wanted.has(key) && written.isAwaited) this.#written.set(key, { ...written, isAwaited: false });
    }
    const refused: string[] = [];
    for (const change of changes) {
      const key = keyOf(change);
      const text = [change.uid, ...change.addresses].join();
      const last = this.#written.get(key);
      const isSame = last?.text === text;
      if (isSame && (last.isAwaited || now - last.at < pauseAfter(last.times))) continue;
      try {
        await this.#patch(change);
      } catch (error) {
        if (isAway(error) && !isRefusal(error, FAILED_WEBHOOK)) throw error;
        refused.push(`Service ${key}: ${error instanceof Error ? error.message : error}`);
        continue;
      }
      this.#written.set(key, { text, times: isSame ? last.times + 1 : 1, at: now, isAwaited: true });
    }
    this.#problems = [...this.#written].flatMap(([key, { times }]) => (times > TOLD_AFTER ? [contested(key)] : []));
    return refused;
  }

  async #patch({ namespace, name, addresses }: StatusChange): Promise<void> {
    const ingress = addresses.map((ip) => ({ ip, ipMode: "VIP" }));
    const path = `/api/v1/namespaces/${namespace}/services/${name}/status`;
    try {
      await patchObject(this.#api, path, { status: { loadBalancer: { ingress } } }, "ebpf-dataplane");
    } catch (error) {
      if (!isRefusal(error, 404)) throw error; // deleted meanwhile
    }
  }
}

const keyOf = ({ namespace, name }: StatusChange): string => `${namespace}/${name}`;

function pauseAfter(times: number): number {
  return times === 1 ? 0 : Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** (times - 2));
}

function contested(key: string): Problem {
  const [namespace, name = ""] = key.split("/");
  const message =
    "another controller writes it as well, so clients may be told addresses that do not work. Next: end the other load balancer (MetalLB, a cloud's), or give the Service a spec.loadBalancerClass, which says whose it is.";
  return { kind: "Service", namespace, name, path: "status.loadBalancer", message };
}
