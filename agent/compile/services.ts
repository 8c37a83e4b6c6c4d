import type { Address } from "../../model/address/address.ts";
import { canonicalAddress } from "../../model/address/address.ts";
import { Latest, Memo } from "../../model/memo.ts";
import type { Pod, Service } from "../../model/objects/core.ts";
import { type EndpointSlice, serviceNameLabel } from "../../model/objects/discovery.ts";
import { type KubernetesObject, objectName } from "../../model/objects/metadata.ts";
import type { Problem } from "../../model/problem.ts";
import { each, type Steps } from "../../model/steps.ts";
import type { Backend, Frontend, Member, Service as ServiceValue, Slot, SourceRange } from "../kernel/layout.gen.ts";
import type { Contributions, Entry } from "./desired.ts";
import { FrontendClaims, type Lost, notServed } from "./frontend-claims.ts";
import type { FrontendRules } from "./frontend-rules.ts";
import { NODE_LOOPBACK } from "./frontends.ts";
import { HostPortCompiler } from "./host-ports.ts";
import { type Displaced, idOf, Numbering } from "./ids.ts";
import { keyText } from "./key.ts";
import type { NodeDirectory } from "./nodes.ts";
import { type CompiledService, compileService, isLeftAlone, ownerOf, withoutFrontends } from "./service.ts";
import {
  type Closed,
  type Counts,
  closedService,
  closing,
  countsOf,
  type Load,
  loadOf,
  NODE_LIMITS,
} from "./service-limits.ts";
import type { ClusterSnapshot } from "./snapshot.ts";
import { EVERYBODY, rangeEntries, type SourceRanges, sourceRanges, tooMany } from "./source-ranges.ts";

// Services that are compiled in one part.
const PART = 64;

export interface ServiceMaps {
  readonly services: Contributions<Frontend, ServiceValue>;
  readonly sourceRanges: Contributions<SourceRange, number>;
  readonly slots: Contributions<Slot, number>;
  readonly members: Contributions<Member, number>;
  readonly backends: Contributions<number, Backend>;
  readonly problems: readonly Problem[];
  /** How many are too large and serve nobody. */
  readonly closed: number;
}

interface ServiceEntries {
  readonly services: readonly Entry<Frontend, ServiceValue>[];
  readonly sourceRanges: readonly Entry<SourceRange, number>[];
  readonly slots: readonly Entry<Slot, number>[];
  readonly members: readonly Entry<Member, number>[];
  readonly backends: readonly Entry<number, Backend>[];
}

/** Compiles all services of a snapshot, and the host ports of this node's pods; a service whose objects did not change costs
 * a few map lookups. */
export class ServiceCompiler {
  readonly #result = new Latest<ServiceMaps>();
  readonly #hostPorts = new HostPortCompiler();
  #asksPods = false;
  readonly #counts = new Memo<Service, Counts>();
  readonly #compiled = new Memo<Service, CompiledService>();
  readonly #closed = new Memo<KubernetesObject, CompiledService>();
  readonly #entries = new Memo<CompiledService, ServiceEntries>();
  readonly #serviceIds = new Numbering<CompiledService>(({ lists }) => lists.map(({ name }) => name));
  readonly #backendIds = new Numbering<CompiledService>(({ backends }) => backends.map(({ name }) => name));
  readonly #ranges = new Memo<Service, SourceRanges>();
  readonly #rangesClosed = new Latest<ReadonlySet<Service>>();
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
    const { compiled, closed } = yield* this.#compileFitting(snapshot, nodes, rules, hostPorts);
    const services = yield* this.#serviceIds.assigning(compiled);
    const backends = yield* this.#backendIds.assigning(compiled);
    const ranges = yield* this.#rangeIds.assigning(compiled);
    const lost = yield* this.#frontends.settling(compiled, (address) => isNode(address, nodes));
    const entries: (readonly [string, ServiceEntries])[] = [];
    for (const item of compiled) {
      const without = [...(lost.get(item)?.keys() ?? [])].join();
      const lowered = () => lower(item, { services, backends, ranges }, lost.get(item));
      entries.push([item.owner, yield* this.#entries.getting(item, [services, backends, ranges, without], lowered)]);
    }
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
      closed,
    };
  }

  /** All of them, but for those that are closed because they are too large, alone or together. */
  *#compileFitting(
    { services, endpointSlices, ...snapshot }: ClusterSnapshot,
    nodes: NodeDirectory,
    rules: FrontendRules,
    hostPorts: readonly CompiledService[],
  ): Steps<{ compiled: CompiledService[]; closed: number }> {
    const slices = slicesByService(endpointSlices);
    const slicesOf = (service: Service) => slices.get(objectName(service)) ?? [];
    const loads: Load[] = hostPorts.map(hostPortLoad);
    for (const service of services) {
      const counting = () => countsOf(service, slicesOf(service));
      loads.push(loadOf(service, yield* this.#counts.getting(service, slicesOf(service), counting)));
    }
    const rangesClosed = yield* this.#rangesClosed.getting([services], () => tooMany(services));
    for (let more = 0; ; more = Math.max(1, more * 2)) {
      const closed = closing(loads, nodes.facts.nodeName, more);
      const compiled: CompiledService[] = [];
      for (const service of services) {
        const because = closed.get(ownerOf(service));
        const open = because ? [] : slicesOf(service);
        const wide = rangesClosed.has(service);
        const ranges = this.#ranges.get(service, [wide], () => sourceRanges(service, wide));
        if (ranges !== EVERYBODY || compiled.length % PART === 0) yield;
        compiled.push(yield* this.#compileOne(service, open, ranges, snapshot, nodes, rules, because));
      }
      for (const item of hostPorts) {
        const because = closed.get(item.owner);
        compiled.push(because ? closedService({ ...item, lists: [], backends: [], frontends: [] }, because) : item);
      }
      const enough = more >= loads.length || (yield* haveRoom(compiled));
      if (enough) return { compiled, closed: closed.size };
    }
  }

  *#compileOne(
    service: Service,
    slices: readonly EndpointSlice[],
    ranges: SourceRanges,
    { pods }: Pick<ClusterSnapshot, "pods">,
    nodes: NodeDirectory,
    rules: FrontendRules,
    closed: Closed | undefined,
  ): Steps<CompiledService> {
    // Slices nearly always name the node; only for those that do not, the answer depends on the pods.
    const orphans = slices.flatMap((slice) => this.#withoutNode.get(slice, [], () => addressesWithoutNode(slice)));
    if (orphans.length > 0) this.#asksPods = true;
    const podNodes = orphans.length > 0 ? this.#podNodes.get([pods], () => nodesOfPods(pods)) : undefined;
    const nodeOfAddress = (address: string) => nodes.nodeOf(address) ?? podNodes?.get(address);
    const compiling = () => compileService(service, slices, nodes, nodeOfAddress, rules, ranges);
    if (!closed) {
      const inputs = [nodes, rules, ranges, ...slices, ...orphans.map(nodeOfAddress)];
      return yield* this.#compiled.getting(service, inputs, compiling);
    }
    const inputs = [nodes, rules, ranges, closed.why, closed.frontends];
    return yield* this.#closed.getting(service, inputs, function* () {
      const empty = closed.frontends ? withoutFrontends(service) : yield* compiling();
      return closedService(empty, closed);
    });
  }
}

/** Whether the map has room for as many different backends. */
function* haveRoom(compiled: readonly CompiledService[]): Steps<boolean> {
  const sum = compiled.reduce((total, { backends }) => total + backends.length, 0);
  if (sum <= NODE_LIMITS.backends) return true;
  const names = new Set<string>();
  for (const { backends } of compiled) yield* each(backends, ({ name }) => names.add(name.name));
  return names.size <= NODE_LIMITS.backends;
}

function hostPortLoad({ owner, object, frontends, lists }: CompiledService): Load {
  const counts = { frontends: frontends.length, endpoints: lists.length };
  return { owner, namespace: object.metadata.namespace ?? "", counts };
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
function* lower(
  item: CompiledService,
  { services, backends, ranges }: Numbers,
  lost: Lost | undefined,
): Steps<ServiceEntries> {
  const made = {
    services: [] as Entry<Frontend, ServiceValue>[],
    sourceRanges: item.clients.flatMap((clients) => rangeEntries(idOf(ranges, clients), clients)),
    slots: [] as Entry<Slot, number>[],
    members: [] as Entry<Member, number>[],
    backends: [] as Entry<number, Backend>[],
  };
  yield* each(item.frontends, ({ key, list, flags, affinitySeconds, clients }) => {
    const id = keyText.services(key);
    if (lost?.has(id)) return;
    const counts = { backendCount: list.slots.length, localCount: list.localCount };
    const sourceRanges = clients ? idOf(ranges, clients) : 0;
    const value = { id: idOf(services, list.name), ...counts, affinitySeconds, flags, sourceRanges };
    made.services.push({ id, key, value });
  });
  for (const list of item.lists) {
    const service = idOf(services, list.name);
    let index = 0;
    yield* each(list.slots, ({ name }) => {
      const backend = idOf(backends, name);
      const [slot, member] = [
        { service, index: index++ },
        { service, backend },
      ];
      made.slots.push({ id: keyText.slots(slot), key: slot, value: backend });
      made.members.push({ id: keyText.members(member), key: member, value: 1 });
    });
  }
  yield* each(item.backends, ({ name, value }) => {
    const key = idOf(backends, name);
    made.backends.push({ id: keyText.backends(key), key, value });
  });
  return made;
}
