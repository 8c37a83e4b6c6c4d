import { changesBetween } from "../model/changes.ts";
import type { Service } from "../model/objects/core.ts";
import { type EndpointSlice, serviceNameLabel } from "../model/objects/discovery.ts";
import { objectName } from "../model/objects/metadata.ts";
import type { ClusterSnapshot } from "./compile/snapshot.ts";

/** What services are compiled of. */
export interface ServedObjects {
  readonly services: readonly Service[];
  readonly endpointSlices: readonly EndpointSlice[];
}

/** Entries of maps that a round brings at most, unless one Service has more: a pod's start waits for two rounds. */
const ENTRIES = 4_096;

const NONE: readonly never[] = [];

/**
 * Passes changes of Services on in pieces, each Service with its EndpointSlices, those that have waited longest first. Policies and pods are
 * not passed through here: a pod is never seen without the policies that were there before it.
 */
export class PacedServices {
  readonly #most: number;
  /** As the objects were when they were looked at last. */
  #seen: ServedObjects | undefined;
  /** As the rounds know them. */
  #shown: ServedObjects = { services: NONE, endpointSlices: NONE };
  /** Services of which the rounds know an older version, in the order in which they changed, and when that was seen. */
  readonly #waiting = new Map<string, number>();

  constructor(most = ENTRIES) {
    this.#most = most;
  }

  /** Whether a Service waits for the next round. */
  get isBehind(): boolean {
    return this.#waiting.size > 0;
  }

  /** When the Service was seen that has waited longest (`performance.now()`); undefined: none waits. */
  get behindSince(): number | undefined {
    return this.#waiting.values().next().value;
  }

  /** The snapshot with the next piece. */
  of(snapshot: ClusterSnapshot): ClusterSnapshot {
    const { services, endpointSlices } = snapshot;
    return { ...snapshot, served: this.next({ services, endpointSlices }) };
  }

  /** The next piece. The first one is everything: what is not in it is removed from the kernel. */
  next(now: ServedObjects): ServedObjects {
    const seen = this.#seen;
    this.#seen = now;
    if (!seen) {
      this.#shown = now;
      return now;
    }
    const services = changesBetween(seen.services, now.services);
    const slices = changesBetween(seen.endpointSlices, now.endpointSlices);
    const at = performance.now();
    const changed = [
      ...[...services.gone, ...services.come].map(objectName),
      ...[...slices.gone, ...slices.come].map(serviceOf),
    ];
    for (const name of changed) if (!this.#waiting.has(name)) this.#waiting.set(name, at);
    if (this.#waiting.size === 0) return this.#shown;
    this.#admit(now);
    this.#shown = this.isBehind ? this.#mixed(now) : now;
    return this.#shown;
  }

  /** Takes those that wait no longer off the list. */
  #admit(now: ServedObjects): void {
    const weights = this.#weights(now);
    let left = this.#most;
    for (const name of this.#waiting.keys()) {
      const weight = weights.get(name) ?? 1;
      if (weight > left && left < this.#most) break;
      left -= weight;
      this.#waiting.delete(name);
    }
  }

  /** About how many entries come and go. */
  #weights(now: ServedObjects): Map<string, number> {
    const weights = new Map<string, number>();
    for (const { services, endpointSlices } of [this.#shown, now]) {
      const endpoints = new Map<string, number>();
      for (const slice of endpointSlices) {
        const name = serviceOf(slice);
        if (this.#waiting.has(name)) endpoints.set(name, (endpoints.get(name) ?? 0) + slice.endpoints.length);
      }
      for (const service of services) {
        const name = objectName(service);
        if (!this.#waiting.has(name)) continue;
        const entries = service.spec.ports.length * (1 + (endpoints.get(name) ?? 0));
        weights.set(name, (weights.get(name) ?? 0) + entries);
      }
    }
    return weights;
  }

  /** The objects as they are, of Services that wait as they were. */
  #mixed(now: ServedObjects): ServedObjects {
    const mix = <T>(of: readonly T[], old: readonly T[], nameOf: (item: T) => string) => [
      ...of.filter((item) => !this.#waiting.has(nameOf(item))),
      ...old.filter((item) => this.#waiting.has(nameOf(item))),
    ];
    return {
      services: mix(now.services, this.#shown.services, objectName),
      endpointSlices: mix(now.endpointSlices, this.#shown.endpointSlices, serviceOf),
    };
  }
}

function serviceOf({ metadata }: EndpointSlice): string {
  return `${metadata.namespace}/${metadata.labels?.[serviceNameLabel]}`;
}
