import { changesBetween } from "../../model/changes.ts";
import { Claims } from "../../model/claims.ts";
import type { Service } from "../../model/objects/core.ts";
import { type EndpointSlice, serviceNameLabel } from "../../model/objects/discovery.ts";
import { objectName } from "../../model/objects/metadata.ts";
import { SliceGroups } from "../../model/service/slice-groups.ts";
import type { ClusterSnapshot } from "../compile/snapshot.ts";

/** What services are compiled of. */
export interface ServedObjects {
  readonly services: readonly Service[];
  readonly endpointSlices: readonly EndpointSlice[];
}

/** A Service of which the rounds know an older version. */
interface Waiting {
  /** `performance.now()` */
  readonly since: number;
  /** About how many entries of maps the older version has. */
  readonly entries: number;
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
  /** By name, in the order in which they changed. */
  readonly #waiting = new Map<string, Waiting>();
  // Of the objects as they were when they were looked at last, by names: a change costs what it changes.
  readonly #services = new Claims<Service, string>((service) => [[objectName(service), ""]]);
  readonly #slices = new SliceGroups();

  constructor(most = ENTRIES) {
    this.#most = most;
  }

  /** Whether a Service waits for the next round. */
  get isBehind(): boolean {
    return this.#waiting.size > 0;
  }

  /** When the Service was seen that has waited longest (`performance.now()`); undefined: none waits. */
  get behindSince(): number | undefined {
    return this.#waiting.values().next().value?.since;
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
      this.#index(now);
      return now;
    }
    const services = changesBetween(seen.services, now.services);
    const slices = changesBetween(seen.endpointSlices, now.endpointSlices);
    const since = performance.now();
    const changed = [
      ...[...services.gone, ...services.come].map(objectName),
      ...[...slices.gone, ...slices.come].map(serviceOf),
    ];
    for (const name of changed) {
      if (!this.#waiting.has(name)) this.#waiting.set(name, { since, entries: this.#entriesOf(name) });
    }
    this.#index(now);
    if (this.#waiting.size === 0) return this.#shown;
    this.#admit();
    this.#shown = this.isBehind ? this.#mixed(now) : now;
    return this.#shown;
  }

  #index({ services, endpointSlices }: ServedObjects): void {
    this.#services.update(services);
    this.#slices.update(endpointSlices);
  }

  /** Takes those that wait no longer off the list. */
  #admit(): void {
    let left = this.#most;
    for (const [name, { entries }] of this.#waiting) {
      const weight = Math.max(1, entries + this.#entriesOf(name));
      if (weight > left && left < this.#most) break;
      left -= weight;
      this.#waiting.delete(name);
    }
  }

  /** About how many entries of maps the Service has. */
  #entriesOf(name: string): number {
    const ports = this.#services.get(name).reduce((sum, { item }) => sum + item.spec.ports.length, 0);
    return ports * this.#slices.of(name).reduce((sum, { endpoints }) => sum + endpoints.length, 1);
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
