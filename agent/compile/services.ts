import type { Pod, Service } from "../api/core.ts";
import { type EndpointSlice, serviceNameLabel } from "../api/discovery.ts";
import { objectName } from "../api/metadata.ts";
import type { Backend, Frontend, Service as ServiceValue, Slot } from "../kernel/layout.gen.ts";
import { canonicalAddress } from "./cidr.ts";
import type { Contributions, Entry, Problem } from "./desired.ts";
import { type Displaced, displace, idOf, type Named } from "./ids.ts";
import { keyText } from "./key.ts";
import { Latest, Memo } from "./memo.ts";
import type { NodeDirectory } from "./nodes.ts";
import { type CompiledService, compileService, isServed } from "./service.ts";
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
  readonly #compiled = new Memo<Service, CompiledService>();
  readonly #entries = new Memo<CompiledService, ServiceEntries>();
  readonly #withoutNode = new Memo<EndpointSlice, readonly string[]>();
  readonly #podNodes = new Latest<ReadonlyMap<string, string>>();

  compile(snapshot: ClusterSnapshot, nodes: NodeDirectory): ServiceMaps {
    const slices = slicesByService(snapshot.endpointSlices);
    const served = snapshot.services.filter(isServed);
    const compiled = served.map((service) =>
      this.#compileOne(service, slices.get(objectName(service)) ?? [], snapshot, nodes),
    );
    const services = displace(names(compiled, (item) => item.lists));
    const backends = displace(names(compiled, (item) => item.backends));
    const entries = compiled.map(
      (item) =>
        [item.owner, this.#entries.get(item, [services, backends], () => lower(item, services, backends))] as const,
    );
    return {
      services: new Map(entries.map(([owner, { services }]) => [owner, services])),
      slots: new Map(entries.map(([owner, { slots }]) => [owner, slots])),
      backends: new Map(entries.map(([owner, { backends }]) => [owner, backends])),
      problems: [...compiled.flatMap((item) => item.problems), ...frontendsTakenTwice(compiled)],
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

function* names(compiled: readonly CompiledService[], of: (item: CompiledService) => readonly { name: Named }[]) {
  for (const item of compiled) for (const { name } of of(item)) yield name;
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
function frontendsTakenTwice(compiled: readonly CompiledService[]): Problem[] {
  const holders = new Map<string, CompiledService>();
  const found: Problem[] = [];
  for (const item of compiled) {
    for (const { key } of item.frontends) {
      const id = frontendId(key);
      const holder = holders.get(id);
      if (holder === undefined) holders.set(id, item);
      else if (holder !== item) {
        const [first, second] = holder.owner < item.owner ? [holder, item] : [item, holder];
        holders.set(id, first);
        found.push(taken(second.owner, keyText.services(key), first.owner));
      }
    }
  }
  return found;
}

// Cheaper than the key in words: this runs for every frontend at every compilation.
function frontendId({ address, port, protocol }: Frontend): string {
  return `${address} ${port} ${protocol}`;
}

function taken(owner: string, frontend: string, holder: string): Problem {
  const [namespace, name] = owner.slice("Service ".length).split("/") as [string, string];
  const message = `${frontend} belongs to ${holder} already; it is served from there, not from here.`;
  return { kind: "Service", namespace, name, path: "spec", message };
}
