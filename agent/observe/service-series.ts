import { type BackendCounts, backendCounts } from "../../model/service/backend-counts.ts";
import type { CompiledService } from "../../model/service/service.ts";
import type { DesiredState } from "../compile/desired.ts";
import { idOf } from "../compile/ids.ts";
import { outcomeNames, type ServiceCount, ServiceCountKind } from "../kernel/layout.gen.ts";
import type { Counted, ServiceCounts } from "../kernel/service-counts.ts";

/** Which services have series of their own. */
export interface ServiceMetricsSettings {
  /** Undefined: those of all namespaces. */
  readonly namespaces?: readonly string[] | undefined;
  readonly limit: number;
}

export interface ServiceLabels {
  readonly namespace: string;
  readonly service: string;
}

/** The label of all other services together. No Service has such a name. */
const OTHER_SERVICES: ServiceLabels = { namespace: "", service: "other services" };

/** Packets of one direction. */
export interface Carried {
  packets: number;
  bytes: number;
}

/** The counts of one service, or of all services that have no series of their own. */
export interface ServiceSeries {
  readonly labels: ServiceLabels;
  connections: number;
  /** Reason → how many. */
  readonly refusals: Map<string, number>;
  /** To backends. */
  readonly requests: Carried;
  /** From them. */
  readonly answers: Carried;
  /** Undefined: the counts are of several services. */
  readonly backends: BackendCounts | undefined;
}

/** The counters of services under their names, up to the limit: first services that have been counted for longest, then by name. If a
 * service no longer exists, its series ends. */
export class ServiceSeriesList {
  readonly #settings: ServiceMetricsSettings;
  readonly #counts: ServiceCounts;
  readonly #served: () => Pick<DesiredState, "services" | "lists">;
  #last: Pick<DesiredState, "services" | "lists"> | undefined;
  /** In the order in which they came. */
  readonly #named = new Map<string, ServiceSeries>();
  readonly #others = newSeries(OTHER_SERVICES, undefined);
  /** Series by the number of a backend list. */
  #ofList = new Map<number, ServiceSeries>();
  /** The kernel's counters when they were last read; by key. */
  #seen = new Map<string, Counted>();
  #isFirst = true;

  constructor(
    settings: ServiceMetricsSettings,
    counts: ServiceCounts,
    served: () => Pick<DesiredState, "services" | "lists">,
  ) {
    this.#settings = settings;
    this.#counts = counts;
    this.#served = served;
  }

  /** The counts until now. Reads the kernel's counters and removes those of services that no longer exist. */
  read(): readonly ServiceSeries[] {
    this.#follow();
    const seen = new Map<string, Counted>();
    const gone: ServiceCount[] = [];
    for (const [key, counted] of this.#counts.entries()) {
      const series = this.#ofList.get(key.backendList);
      if (!series) {
        gone.push(key);
        continue;
      }
      const id = `${key.backendList} ${key.kind}`;
      const before = this.#seen.get(id);
      seen.set(id, counted);
      // The counts before this agent may have been under a name: added again, they would look like new ones.
      if (this.#isFirst && series === this.#others) continue;
      count(series, key.kind, since(before, counted));
    }
    if (this.#ofList.size > 0) {
      this.#counts.delete(gone);
      this.#isFirst = false;
    }
    this.#seen = seen;
    return [...this.#named.values(), this.#others];
  }

  #follow(): void {
    const served = this.#served();
    if (served === this.#last) return;
    this.#last = served;
    const all = served.services.filter(({ kind, lists }) => kind === "Service" && lists.length > 0);
    const byName = new Map(all.filter((service) => this.#mayBeNamed(service)).map((item) => [item.owner, item]));
    for (const [owner, series] of this.#named) {
      const item = byName.get(owner);
      if (item) this.#named.set(owner, { ...series, backends: backendCounts([item]) });
      else this.#named.delete(owner);
    }
    const room = this.#settings.limit - this.#named.size;
    const come = [...byName.keys()].filter((owner) => !this.#named.has(owner));
    for (const owner of room > 0 ? come.sort().slice(0, room) : []) {
      const item = byName.get(owner) as CompiledService;
      const { namespace, name } = item.object.metadata;
      this.#named.set(owner, newSeries({ namespace: namespace ?? "default", service: name }, backendCounts([item])));
    }
    this.#ofList = new Map(
      served.services.flatMap(({ owner, lists }) => {
        const series = this.#named.get(owner) ?? this.#others;
        return lists.map(({ name }) => [idOf(served.lists, name), series] as const);
      }),
    );
  }

  #mayBeNamed({ object }: CompiledService): boolean {
    const { namespaces } = this.#settings;
    return !namespaces || namespaces.includes(object.metadata.namespace ?? "default");
  }
}

function newSeries(labels: ServiceLabels, backends: BackendCounts | undefined): ServiceSeries {
  const [requests, answers] = [nothing(), nothing()];
  return { labels, connections: 0, refusals: new Map(), requests, answers, backends };
}

const nothing = (): Carried => ({ packets: 0, bytes: 0 });

/** The counts after `before`; all of them, if the counter has begun again. */
function since(before: Counted | undefined, now: Counted): Counted {
  if (!before || now.times < before.times) return now;
  return { times: now.times - before.times, bytes: now.bytes - before.bytes };
}

function count(series: ServiceSeries, kind: number, { times, bytes }: Counted): void {
  if (kind === ServiceCountKind.CONNECTIONS) {
    series.connections += times;
  } else if (kind === ServiceCountKind.REQUESTS || kind === ServiceCountKind.ANSWERS) {
    const carried = kind === ServiceCountKind.REQUESTS ? series.requests : series.answers;
    carried.packets += times;
    carried.bytes += bytes;
  } else {
    const reason = outcomeNames.get(kind) ?? String(kind);
    series.refusals.set(reason, (series.refusals.get(reason) ?? 0) + times);
  }
}
