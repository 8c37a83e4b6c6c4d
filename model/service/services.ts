import type { Address } from "../address/address.ts";
import { canonicalAddress } from "../address/address.ts";
import { Claims } from "../claims.ts";
import { DerivedList } from "../derived-list.ts";
import { Latest, Memo } from "../memo.ts";
import type { NodeDirectory } from "../node/nodes.ts";
import type { Pod, Service } from "../objects/core.ts";
import type { EndpointSlice } from "../objects/discovery.ts";
import { type KubernetesObject, objectName } from "../objects/metadata.ts";
import type { Problem } from "../problem.ts";
import { each, type Steps } from "../steps.ts";
import { Selection, Tally } from "../tally.ts";
import { frontendText, isNodeLoopback } from "./frontend.ts";
import { FrontendClaims, type Lost, notServed } from "./frontend-claims.ts";
import type { FrontendRules } from "./frontend-rules.ts";
import type { HealthCheck } from "./health-check.ts";
import { HostPortCompiler, type Placed } from "./host-ports.ts";
import { type Closed, closedService, closing, countsOf, type Load, loadOf, type Room } from "./limits.ts";
import { type CompiledService, compileService, withoutFrontends } from "./service.ts";
import { ServicesByAddress } from "./services-by-address.ts";
import { SliceGroups } from "./slice-groups.ts";
import { type SourceRanges, sourceRanges, tooMany } from "./source-ranges.ts";
import { changesOf, NO_WEIGHTS, PodWeights, type Weights, weightsIn } from "./weights.ts";

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

/** What is known of a Service as long as it, its EndpointSlices and the weights of its pods are the same. */
interface Known {
  readonly service: Service;
  readonly slices: readonly EndpointSlice[];
  readonly load: Load;
  /** Addresses of which the slices do not name the node: it depends on the pods. */
  readonly orphans: readonly string[];
  readonly weights: Weights;
}

/** Compiles all services, and the host ports of a node's pods; a service whose objects did not change costs a lookup. */
export class ServiceSet {
  readonly #room: Room;
  readonly #result = new Latest<ServedServices>();
  readonly #hostPorts = new HostPortCompiler();
  readonly #orphaned = new Tally<Known>(({ orphans }) => orphans.length);
  #asksPods = false;
  readonly #slices = new SliceGroups();
  readonly #services = new Claims<Service, string>((service) => [[objectName(service), ""]]);
  readonly #known = new DerivedList<Service, Known>();
  readonly #served = new DerivedList<Known, CompiledService>();
  readonly #compiled = new Memo<Known, CompiledService>();
  readonly #closed = new Memo<KubernetesObject, CompiledService>();
  readonly #ranges = new Memo<Service, SourceRanges>();
  readonly #rangesClosed = new Latest<ReadonlySet<Service>>();
  #lastClosed: ReadonlyMap<string, Closed> = new Map();
  readonly #claims = new FrontendClaims();
  readonly #backends = new Tally<CompiledService>(({ backends }) => backends.length);
  readonly #checked = new Selection<CompiledService>(({ healthCheck }) => healthCheck !== undefined);
  readonly #complaining = new Selection<CompiledService>(({ problems }) => problems.length > 0);
  readonly #byAddress = new ServicesByAddress();
  readonly #podWeights = new PodWeights();
  #lastWeights = NO_WEIGHTS;
  readonly #podNodes = new Latest<ReadonlyMap<string, string>>();
  #lastPodNodes: ReadonlyMap<string, string> | undefined;

  /** @param room what one node holds of them */
  constructor(room: Room) {
    this.#room = room;
  }

  /** In parts. Returns the same object as before if its inputs did not change. */
  *compiling(objects: ServiceObjects, nodes: NodeDirectory, rules: FrontendRules): Steps<ServedServices> {
    const pods = this.#asksPods ? objects.pods : undefined;
    const hostPorts = this.#hostPorts.compile(objects, nodes, rules);
    const weights = this.#podWeights.of(objects.pods);
    const inputs = [objects.services, objects.endpointSlices, nodes, rules, pods, hostPorts, weights];
    return yield* this.#result.getting(inputs, () => this.#compiling(objects, nodes, rules, hostPorts, weights));
  }

  *#compiling(
    objects: ServiceObjects,
    nodes: NodeDirectory,
    rules: FrontendRules,
    hostPorts: readonly CompiledService[],
    weights: Weights,
  ): Steps<ServedServices> {
    const { compiled, closed } = yield* this.#compileFitting(objects, nodes, rules, hostPorts, weights);
    const lost = yield* this.#claims.settling(compiled, (address) => isNode(address, nodes));
    const problems: Problem[] = [];
    yield* each(this.#complaining.of(compiled), (item) => problems.push(...item.problems));
    for (const [item, refusals] of lost) problems.push(...notServed(item, refusals.values()));
    return { compiled, lost, healthChecks: healthChecks(this.#checked.of(compiled), lost), problems, closed };
  }

  /** All of them, but for those that are closed because they are too large, alone or together. */
  *#compileFitting(
    { services, endpointSlices, pods }: ServiceObjects,
    nodes: NodeDirectory,
    rules: FrontendRules,
    hostPorts: readonly CompiledService[],
    weights: Weights,
  ): Steps<{ compiled: CompiledService[]; closed: number }> {
    yield* this.#services.updating(services);
    const reweighted = yield* this.#byAddress.withOneOf(changesOf(this.#lastWeights, weights), endpointSlices);
    const names = [...this.#slices.update(endpointSlices), ...reweighted];
    const changed = new Set(names.flatMap((name) => this.#services.get(name).map(({ item }) => item)));
    const known = yield* this.#known.deriving(
      services,
      [],
      (service) => this.#know(service, weights),
      (service) => changed.has(service),
    );
    this.#lastWeights = weights;
    const rangesClosed = yield* this.#rangesClosed.getting([services], () =>
      tooMany(services, this.#room.sourceRanges),
    );
    this.#asksPods = this.#orphaned.over(known) > 0;
    const podNodes = this.#asksPods ? this.#podNodes.get([pods], () => nodesOfPods(pods)) : undefined;
    const podsMoved = podNodes !== this.#lastPodNodes;
    const loads = [...hostPorts.map(hostPortLoad), ...known.map(({ load }) => load)];
    for (let more = 0; ; more = Math.max(1, more * 2)) {
      const closed = closing(loads, nodes.facts.nodeName, this.#room, more);
      const last = this.#lastClosed;
      const served = yield* this.#served.deriving(
        known,
        [nodes, rules, rangesClosed],
        (one) => this.#compileOne(one, closed.get(one.load.owner), rangesClosed, podNodes, nodes, rules),
        ({ load, orphans }) => (podsMoved && orphans.length > 0) || closed.has(load.owner) || last.has(load.owner),
      );
      this.#lastClosed = closed;
      this.#lastPodNodes = podNodes;
      const ofPods = hostPorts.map((item) => {
        const because = closed.get(item.owner);
        return because ? closedService({ ...item, lists: [], backends: [], frontends: [] }, because) : item;
      });
      const compiled = [...served, ...ofPods];
      const enough =
        more >= loads.length ||
        this.#backends.over(compiled) <= this.#room.backends ||
        (yield* haveRoom(compiled, this.#room.backends));
      if (enough) return { compiled, closed: closed.size };
    }
  }

  *#know(service: Service, all: Weights): Steps<Known> {
    const slices = this.#slices.of(objectName(service));
    const weights = weightsIn(slices, all);
    return {
      service,
      slices,
      load: loadOf(service, yield* countsOf(service, slices, weights)),
      orphans: slices.flatMap(addressesWithoutNode),
      weights,
    };
  }

  *#compileOne(
    known: Known,
    closed: Closed | undefined,
    rangesClosed: ReadonlySet<Service>,
    podNodes: ReadonlyMap<string, string> | undefined,
    nodes: NodeDirectory,
    rules: FrontendRules,
  ): Steps<CompiledService> {
    const { service } = known;
    const wide = rangesClosed.has(service);
    const ranges = this.#ranges.get(service, [wide], () =>
      sourceRanges(service, wide ? this.#room.sourceRanges : undefined),
    );
    yield;
    if (closed) {
      return yield* this.#closed.getting(service, [nodes, rules, ranges, closed.why, closed.frontends], function* () {
        const open = { nodeOf: () => undefined, weights: NO_WEIGHTS };
        const empty = closed.frontends
          ? withoutFrontends(service)
          : yield* compileService(service, [], nodes, open, rules, ranges);
        return closedService(empty, closed);
      });
    }
    const { slices, orphans, weights } = known;
    const nodeOf = (address: string) => nodes.nodeOf(address) ?? podNodes?.get(address);
    const inputs = [nodes, rules, ranges, ...orphans.map(nodeOf)];
    return yield* this.#compiled.getting(known, inputs, () =>
      compileService(service, slices, nodes, { nodeOf, weights }, rules, ranges),
    );
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
  const names = new Set<string>();
  for (const { backends } of compiled) yield* each(backends, ({ name }) => names.add(name));
  return names.size <= room;
}

function hostPortLoad({ owner, object, frontends, lists }: CompiledService): Load {
  const counts = { frontends: frontends.length, endpoints: lists.length };
  return { owner, namespace: object.metadata.namespace ?? "", counts };
}

function isNode(address: Address, nodes: NodeDirectory): boolean {
  return isNodeLoopback(address) || nodes.nodeOf(address) !== undefined;
}

function addressesWithoutNode(slice: EndpointSlice): readonly string[] {
  return slice.endpoints.flatMap((endpoint) =>
    endpoint.nodeName ? [] : (canonicalAddress(endpoint.addresses[0] ?? "") ?? []),
  );
}

/** By the pods' addresses. */
export function nodesOfPods(pods: readonly Pod[]): ReadonlyMap<string, string> {
  return new Map(
    pods.flatMap(({ spec, status }) =>
      spec.nodeName ? status.podIPs.map(({ ip }) => [ip, spec.nodeName ?? ""] as const) : [],
    ),
  );
}
