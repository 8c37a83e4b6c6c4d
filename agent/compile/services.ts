import type { Pod, Service } from "../api/core.ts";
import { type EndpointSlice, serviceNameLabel } from "../api/discovery.ts";
import { objectName } from "../api/metadata.ts";
import type { Address } from "../kernel/address.ts";
import type { Backend, Frontend, Member, Service as ServiceValue, Slot, SourceRange } from "../kernel/layout.gen.ts";
import { each, type Steps } from "../steps.ts";
import { canonicalAddress } from "./cidr.ts";
import type { Contributions, Entry, Problem } from "./desired.ts";
import { FrontendClaims, type Lost, notServed } from "./frontend_claims.ts";
import type { FrontendRules } from "./frontend_rules.ts";
import { NODE_LOOPBACK } from "./frontends.ts";
import { HostPortCompiler } from "./host_ports.ts";
import { type Displaced, idOf, Numbering } from "./ids.ts";
import { keyText } from "./key.ts";
import { Latest, Memo } from "./memo.ts";
import type { NodeDirectory } from "./nodes.ts";
import { type CompiledService, compileService, isLeftAlone } from "./service.ts";
import type { ClusterSnapshot } from "./snapshot.ts";
import { EVERYBODY, rangeEntries, type SourceRanges, sourceRanges, tooMany } from "./source_ranges.ts";

// Services that are compiled in one part.
const PART = 64;

export interface ServiceMaps {
  readonly services: Contributions<Frontend, ServiceValue>;
  readonly sourceRanges: Contributions<SourceRange, number>;
  readonly slots: Contributions<Slot, number>;
  readonly members: Contributions<Member, number>;
  readonly backends: Contributions<number, Backend>;
  readonly problems: readonly Problem[];
}

interface ServiceEntries {
  readonly services: readonly Entry<Frontend, ServiceValue>[];
  readonly sourceRanges: readonly Entry<SourceRange, number>[];
  readonly slots: readonly Entry<Slot, number>[];
  readonly members: readonly Entry<Member, number>[];
  readonly backends: readonly Entry<number, Backend>[];
}

/** Compiles all services of a snapshot, and the host ports of this node's pods; a service whose objects did not change costs a few map lookups. */
export class ServiceCompiler {
  readonly #result = new Latest<ServiceMaps>();
  readonly #hostPorts = new HostPortCompiler();
  #asksPods = false;
  readonly #compiled = new Memo<Service, CompiledService>();
  readonly #entries = new Memo<CompiledService, ServiceEntries>();
  readonly #serviceIds = new Numbering<CompiledService>(({ lists }) => lists.map(({ name }) => name));
  readonly #backendIds = new Numbering<CompiledService>(({ backends }) => backends.map(({ name }) => name));
  readonly #ranges = new Memo<Service, SourceRanges>();
  readonly #closed = new Latest<ReadonlySet<Service>>();
  readonly #rangeIds = new Numbering<CompiledService>(({ clients }) => clients);
  readonly #frontends = new FrontendClaims();
  readonly #withoutNode = new Memo<EndpointSlice, readonly string[]>();
  readonly #podNodes = new Latest<ReadonlyMap<string, string>>();

  /** In parts. The very same answer as before where nothing it is made of changed. */
  *compiling(snapshot: ClusterSnapshot, nodes: NodeDirectory, rules: FrontendRules): Steps<ServiceMaps> {
    const pods = this.#asksPods ? snapshot.pods : undefined;
    const hostPorts = this.#hostPorts.compile(snapshot, nodes, rules);
    const inputs = [snapshot.services, snapshot.endpointSlices, nodes, rules, pods, hostPorts];
    return yield* this.#result.getting(inputs, () => this.#compiling(snapshot, nodes, rules, hostPorts));
  }

  *#compiling(
    snapshot: ClusterSnapshot,
    nodes: NodeDirectory,
    rules: FrontendRules,
    hostPorts: readonly CompiledService[],
  ): Steps<ServiceMaps> {
    this.#asksPods = false;
    const slices = slicesByService(snapshot.endpointSlices);
    const closed = yield* this.#closed.getting([snapshot.services], () => tooMany(snapshot.services));
    const compiled: CompiledService[] = [];
    for (const service of snapshot.services) {
      const ranges = this.#ranges.get(service, [closed.has(service)], () => sourceRanges(service, closed.has(service)));
      if (ranges !== EVERYBODY || compiled.length % PART === 0) yield;
      const own = slices.get(objectName(service)) ?? [];
      compiled.push(this.#compileOne(service, own, ranges, snapshot, nodes, rules));
    }
    compiled.push(...hostPorts);
    const services = yield* this.#serviceIds.assigning(compiled);
    const backends = yield* this.#backendIds.assigning(compiled);
    const ranges = yield* this.#rangeIds.assigning(compiled);
    const lost = this.#frontends.settle(compiled, (address) => isNode(address, nodes));
    const entries: (readonly [string, ServiceEntries])[] = [];
    yield* each(
      compiled,
      (item) => {
        const without = [...(lost.get(item)?.keys() ?? [])].join();
        const inputs = [services, backends, ranges, without];
        const numbers = { services, backends, ranges };
        entries.push([item.owner, this.#entries.get(item, inputs, () => lower(item, numbers, lost.get(item)))]);
      },
      16,
    );
    return {
      services: new Map(entries.map(([owner, { services }]) => [owner, services])),
      sourceRanges: new Map(entries.map(([owner, { sourceRanges }]) => [owner, sourceRanges])),
      slots: new Map(entries.map(([owner, { slots }]) => [owner, slots])),
      members: new Map(entries.map(([owner, { members }]) => [owner, members])),
      backends: new Map(entries.map(([owner, { backends }]) => [owner, backends])),
      problems: [
        ...compiled.flatMap((item) => item.problems),
        ...[...lost].flatMap(([item, refusals]) => notServed(item, refusals.values())),
      ],
    };
  }

  #compileOne(
    service: Service,
    slices: readonly EndpointSlice[],
    ranges: SourceRanges,
    snapshot: ClusterSnapshot,
    nodes: NodeDirectory,
    rules: FrontendRules,
  ): CompiledService {
    // Slices nearly always name the node; only for those that do not, the answer depends on the pods.
    const orphans = slices.flatMap((slice) => this.#withoutNode.get(slice, [], () => addressesWithoutNode(slice)));
    if (orphans.length > 0) this.#asksPods = true;
    const podNodes =
      orphans.length > 0 ? this.#podNodes.get([snapshot.pods], () => nodesOfPods(snapshot.pods)) : undefined;
    const nodeOfAddress = (address: string) => nodes.nodeOf(address) ?? podNodes?.get(address);
    const inputs = [nodes, rules, ranges, ...slices, ...orphans.map(nodeOfAddress)];
    return this.#compiled.get(service, inputs, () =>
      compileService(service, slices, nodes, nodeOfAddress, rules, ranges),
    );
  }
}

function isNode(address: Address, nodes: NodeDirectory): boolean {
  return address === NODE_LOOPBACK || nodes.nodeOf(address) !== undefined;
}

function slicesByService(slices: readonly EndpointSlice[]): ReadonlyMap<string, EndpointSlice[]> {
  const groups = new Map<string, EndpointSlice[]>();
  for (const slice of slices) {
    const name = slice.metadata.labels?.[serviceNameLabel];
    if (!name || isLeftAlone(slice)) continue;
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

/** Whatever has a number that is not its own hash. */
interface Numbers {
  readonly services: Displaced;
  readonly backends: Displaced;
  readonly ranges: Displaced;
}

/** Gives one compiled service its numbers. */
function lower(item: CompiledService, { services, backends, ranges }: Numbers, lost: Lost | undefined): ServiceEntries {
  const frontends = item.frontends.filter(({ key }) => !lost?.has(keyText.services(key)));
  return {
    services: frontends.map(({ key, list, flags, affinitySeconds, clients }) => ({
      id: keyText.services(key),
      key,
      value: {
        id: idOf(services, list.name),
        backendCount: list.slots.length,
        localCount: list.localCount,
        affinitySeconds,
        flags,
        sourceRanges: clients ? idOf(ranges, clients) : 0,
      },
    })),
    sourceRanges: item.clients.flatMap((clients) => rangeEntries(idOf(ranges, clients), clients)),
    slots: item.lists.flatMap((list) =>
      list.slots.map((slot, index) => {
        const key = { service: idOf(services, list.name), index };
        return { id: keyText.slots(key), key, value: idOf(backends, slot.name) };
      }),
    ),
    members: item.lists.flatMap((list) =>
      list.slots.map((slot) => {
        const key = { service: idOf(services, list.name), backend: idOf(backends, slot.name) };
        return { id: keyText.members(key), key, value: 1 };
      }),
    ),
    backends: item.backends.map(({ name, value }) => {
      const key = idOf(backends, name);
      return { id: keyText.backends(key), key, value };
    }),
  };
}
