import type { Address } from "../address/address.ts";
import { canonicalAddress } from "../address/address.ts";
import { Latest, Memo } from "../memo.ts";
import type { NodeDirectory } from "../node/nodes.ts";
import type { Pod, Service } from "../objects/core.ts";
import { type EndpointSlice, serviceNameLabel } from "../objects/discovery.ts";
import { type KubernetesObject, objectName } from "../objects/metadata.ts";
import type { Problem } from "../problem.ts";
import { each, type Steps } from "../steps.ts";
import { frontendText, isNodeLoopback } from "./frontend.ts";
import { FrontendClaims, type Lost, notServed } from "./frontend-claims.ts";
import type { FrontendRules } from "./frontend-rules.ts";
import type { HealthCheck } from "./health-check.ts";
import { HostPortCompiler, type Placed } from "./host-ports.ts";
import { type Closed, type Counts, closedService, closing, countsOf, type Load, loadOf, type Room } from "./limits.ts";
import { type CompiledService, compileService, isLeftAlone, ownerOf, withoutFrontends } from "./service.ts";
import { EVERYBODY, type SourceRanges, sourceRanges, tooMany } from "./source-ranges.ts";

// Services that are compiled in one part.
const PART = 64;

/** The inputs of services and host ports. */
export interface ServiceObjects extends Placed {
  readonly services: readonly Service[];
  readonly endpointSlices: readonly EndpointSlice[];
}

/** Everything that is served on one node. */
export interface ServedServices {
  readonly compiled: readonly CompiledService[];
  /** Frontends that their objects ask for and do not get. */
  readonly lost: ReadonlyMap<CompiledService, Lost>;
  readonly healthChecks: readonly HealthCheck[];
  readonly problems: readonly Problem[];
  /** How many are too large and therefore not served. */
  readonly closed: number;
}

/** Compiles all services, and the host ports of a node's pods; a service whose objects did not change costs a few lookups. */
export class ServiceSet {
  readonly #room: Room;
  readonly #result = new Latest<ServedServices>();
  readonly #hostPorts = new HostPortCompiler();
  #asksPods = false;
  readonly #counts = new Memo<Service, Counts>();
  readonly #compiled = new Memo<Service, CompiledService>();
  readonly #closed = new Memo<KubernetesObject, CompiledService>();
  readonly #ranges = new Memo<Service, SourceRanges>();
  readonly #rangesClosed = new Latest<ReadonlySet<Service>>();
  readonly #claims = new FrontendClaims();
  readonly #withoutNode = new Memo<EndpointSlice, readonly string[]>();
  readonly #podNodes = new Latest<ReadonlyMap<string, string>>();

  /** @param room what one node holds of them */
  constructor(room: Room) {
    this.#room = room;
  }

  /** In parts. Returns the same object as before if its inputs did not change. */
  *compiling(objects: ServiceObjects, nodes: NodeDirectory, rules: FrontendRules): Steps<ServedServices> {
    const pods = this.#asksPods ? objects.pods : undefined;
    const hostPorts = this.#hostPorts.compile(objects, nodes, rules);
    const inputs = [objects.services, objects.endpointSlices, nodes, rules, pods, hostPorts];
    return yield* this.#result.getting(inputs, () => this.#compiling(objects, nodes, rules, hostPorts));
  }

  *#compiling(
    objects: ServiceObjects,
    nodes: NodeDirectory,
    rules: FrontendRules,
    hostPorts: readonly CompiledService[],
  ): Steps<ServedServices> {
    this.#asksPods = false;
    const { compiled, closed } = yield* this.#compileFitting(objects, nodes, rules, hostPorts);
    const lost = yield* this.#claims.settling(compiled, (address) => isNode(address, nodes));
    const problems = [
      ...compiled.flatMap((item) => item.problems),
      ...[...lost].flatMap(([item, refusals]) => notServed(item, refusals.values())),
    ];
    return { compiled, lost, healthChecks: healthChecks(compiled, lost), problems, closed };
  }

  /** All of them, but for those that are closed because they are too large, alone or together. */
  *#compileFitting(
    { services, endpointSlices, pods }: ServiceObjects,
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
    const rangesClosed = yield* this.#rangesClosed.getting([services], () =>
      tooMany(services, this.#room.sourceRanges),
    );
    for (let more = 0; ; more = Math.max(1, more * 2)) {
      const closed = closing(loads, nodes.facts.nodeName, this.#room, more);
      const compiled: CompiledService[] = [];
      for (const service of services) {
        const because = closed.get(ownerOf(service));
        const open = because ? [] : slicesOf(service);
        const wide = rangesClosed.has(service);
        const ranges = this.#ranges.get(service, [wide], () =>
          sourceRanges(service, wide ? this.#room.sourceRanges : undefined),
        );
        if (ranges !== EVERYBODY || compiled.length % PART === 0) yield;
        compiled.push(yield* this.#compileOne(service, open, ranges, pods, nodes, rules, because));
      }
      for (const item of hostPorts) {
        const because = closed.get(item.owner);
        compiled.push(because ? closedService({ ...item, lists: [], backends: [], frontends: [] }, because) : item);
      }
      const enough = more >= loads.length || (yield* haveRoom(compiled, this.#room.backends));
      if (enough) return { compiled, closed: closed.size };
    }
  }

  *#compileOne(
    service: Service,
    slices: readonly EndpointSlice[],
    ranges: SourceRanges,
    pods: readonly Pod[],
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

/** Those whose ports their Services have. */
function healthChecks(compiled: readonly CompiledService[], lost: ServedServices["lost"]): readonly HealthCheck[] {
  return compiled.flatMap((item) => {
    const check = item.healthCheck;
    if (!check) return [];
    const rules = item.frontends.filter(({ claim }) => claim === "health check");
    const isHeld = rules.length > 0 && !rules.some(({ key }) => lost.get(item)?.has(frontendText(key)));
    return isHeld ? [check] : [];
  });
}

/** Whether there are no more different backends than `room`. */
function* haveRoom(compiled: readonly CompiledService[], room: number): Steps<boolean> {
  const sum = compiled.reduce((total, { backends }) => total + backends.length, 0);
  if (sum <= room) return true;
  const names = new Set<string>();
  for (const { backends } of compiled) yield* each(backends, ({ name }) => names.add(name.name));
  return names.size <= room;
}

function hostPortLoad({ owner, object, frontends, lists }: CompiledService): Load {
  const counts = { frontends: frontends.length, endpoints: lists.length };
  return { owner, namespace: object.metadata.namespace ?? "", counts };
}

function isNode(address: Address, nodes: NodeDirectory): boolean {
  return isNodeLoopback(address) || nodes.nodeOf(address) !== undefined;
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
