import type { Pod, Service } from "../api/core.ts";
import { type EndpointSlice, serviceNameLabel } from "../api/discovery.ts";
import { objectName } from "../api/metadata.ts";
import type { Backend, Frontend, Service as ServiceValue, Slot } from "../kernel/layout.gen.ts";
import { canonicalAddress } from "./cidr.ts";
import { Claims } from "./claims.ts";
import type { Contributions, Entry, Problem } from "./desired.ts";
import { type Displaced, idOf, Numbering } from "./ids.ts";
import { keyText } from "./key.ts";
import { Latest, Memo } from "./memo.ts";
import type { NodeDirectory } from "./nodes.ts";
import { type CompiledService, compileService } from "./service.ts";
import type { ClusterSnapshot } from "./snapshot.ts";

export interface ServiceMaps {
  readonly services: Contributions<Frontend, ServiceValue>;
  readonly slots: Contributions<Slot, number>;
  readonly backends: Contributions<number, Backend>;
  readonly problems: readonly Problem[];
}

interface ServiceEntries {
  readonly services: readonly Entry<Frontend, ServiceValue>[];
  readonly slots: readonly Entry<Slot, number>[];
  readonly backends: readonly Entry<number, Backend>[];
}

/** Compiles all services of a snapshot; a service whose objects did not change costs a few map lookups. */
export class ServiceCompiler {
  readonly #result = new Latest<ServiceMaps>();
  #asksPods = false;
  readonly #compiled = new Memo<Service, CompiledService>();
  readonly #entries = new Memo<CompiledService, ServiceEntries>();
  readonly #serviceIds = new Numbering<CompiledService>(({ lists }) => lists.map(({ name }) => name));
  readonly #backendIds = new Numbering<CompiledService>(({ backends }) => backends.map(({ name }) => name));
  readonly #frontends = new Claims<CompiledService, string>(({ frontends, owner }) =>
    frontends.map(({ key }) => [keyText.services(key), owner]),
  );
  readonly #withoutNode = new Memo<EndpointSlice, readonly string[]>();
  readonly #podNodes = new Latest<ReadonlyMap<string, string>>();

  /** The very same answer as before where nothing it is made of changed. */
  compile(snapshot: ClusterSnapshot, nodes: NodeDirectory): ServiceMaps {
    const inputs = [snapshot.services, snapshot.endpointSlices, nodes, this.#asksPods ? snapshot.pods : undefined];
    return this.#result.get(inputs, () => this.#compile(snapshot, nodes));
  }

  #compile(snapshot: ClusterSnapshot, nodes: NodeDirectory): ServiceMaps {
    this.#asksPods = false;
    const slices = slicesByService(snapshot.endpointSlices);
    const compiled = snapshot.services.map((service) =>
      this.#compileOne(service, slices.get(objectName(service)) ?? [], snapshot, nodes),
    );
    const services = this.#serviceIds.assign(compiled);
    const backends = this.#backendIds.assign(compiled);
    this.#frontends.update(compiled);
    const entries = compiled.map(
      (item) =>
        [item.owner, this.#entries.get(item, [services, backends], () => lower(item, services, backends))] as const,
    );
    return {
      services: new Map(entries.map(([owner, { services }]) => [owner, services])),
      slots: new Map(entries.map(([owner, { slots }]) => [owner, slots])),
      backends: new Map(entries.map(([owner, { backends }]) => [owner, backends])),
      problems: [...compiled.flatMap((item) => item.problems), ...takenTwice(this.#frontends)],
    };
  }

  #compileOne(
    service: Service,
    slices: readonly EndpointSlice[],
    snapshot: ClusterSnapshot,
    nodes: NodeDirectory,
  ): CompiledService {
    // Slices nearly always name the node; only for those that do not, the answer depends on the pods.
    const orphans = slices.flatMap((slice) => this.#withoutNode.get(slice, [], () => addressesWithoutNode(slice)));
    if (orphans.length > 0) this.#asksPods = true;
    const podNodes =
      orphans.length > 0 ? this.#podNodes.get([snapshot.pods], () => nodesOfPods(snapshot.pods)) : undefined;
    const nodeOfAddress = (address: string) => nodes.nodeOf(address) ?? podNodes?.get(address);
    const inputs = [nodes, ...slices, ...orphans.map(nodeOfAddress)];
    return this.#compiled.get(service, inputs, () => compileService(service, slices, nodes, nodeOfAddress));
  }
}

function slicesByService(slices: readonly EndpointSlice[]): ReadonlyMap<string, EndpointSlice[]> {
  const groups = new Map<string, EndpointSlice[]>();
  for (const slice of slices) {
    const name = slice.metadata.labels?.[serviceNameLabel];
    if (!name) continue;
    const id = `${slice.metadata.namespace}/${name}`;
    const group = groups.get(id);
    if (group) group.push(slice);
    else groups.set(id, [slice]);
  }
  return groups;
}

function addressesWithoutNode(slice: EndpointSlice): readonly string[] {
  return slice.endpoints.flatMap((endpoint) =>
    endpoint.nodeName ? [] : (canonicalAddress(endpoint.addresses[0] ?? "") ?? []),
  );
}

function nodesOfPods(pods: readonly Pod[]): ReadonlyMap<string, string> {
  return new Map(
    pods.flatMap(({ spec, status }) =>
      spec.nodeName ? status.podIPs.map(({ ip }) => [ip, spec.nodeName ?? ""] as const) : [],
    ),
  );
}

/** Gives one compiled service its numbers. */
function lower(item: CompiledService, services: Displaced, backends: Displaced): ServiceEntries {
  return {
    services: item.frontends.map(({ key, list, flags, affinitySeconds }) => ({
      id: keyText.services(key),
      key,
      value: {
        id: idOf(services, list.name),
        backendCount: list.slots.length,
        localCount: list.localCount,
        affinitySeconds,
        flags,
      },
    })),
    slots: item.lists.flatMap((list) =>
      list.slots.map((slot, index) => {
        const key = { service: idOf(services, list.name), index };
        return { id: keyText.slots(key), key, value: idOf(backends, slot.name) };
      }),
    ),
    backends: item.backends.map(({ name, value }) => {
      const key = idOf(backends, name);
      return { id: keyText.backends(key), key, value };
    }),
  };
}

/** Two services with one external address and port: the one whose name sorts first is served. */
function takenTwice(frontends: Claims<CompiledService, string>): Problem[] {
  return [...frontends.contested].sort().flatMap((frontend) => {
    const [first, ...others] = [...new Set(frontends.get(frontend).map(({ name }) => name))].sort();
    return others.map((owner) => taken(owner, frontend, first ?? ""));
  });
}

function taken(owner: string, frontend: string, holder: string): Problem {
  const [namespace, name] = owner.slice("Service ".length).split("/") as [string, string];
  const message = `${frontend} belongs to ${holder} already; it is served from there, not from here.`;
  return { kind: "Service", namespace, name, path: "spec", message };
}
