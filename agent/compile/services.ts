import { DerivedList } from "../../model/derived-list.ts";
import { Latest } from "../../model/memo.ts";
import { returnModes } from "../../model/mode/mode.ts";
import type { NodeDirectory } from "../../model/node/nodes.ts";
import type { Problem } from "../../model/problem.ts";
import type { Backend } from "../../model/service/backend.ts";
import { OTHER_PORTS } from "../../model/service/frontend.ts";
import type { Lost } from "../../model/service/frontend-claims.ts";
import type { FrontendRules } from "../../model/service/frontend-rules.ts";
import type { FrontendRule } from "../../model/service/frontends.ts";
import type { HealthCheck } from "../../model/service/health-check.ts";
import type { Room } from "../../model/service/limits.ts";
import type { CompiledService, ServedFrontend } from "../../model/service/service.ts";
import { type ServedServices, ServiceSet } from "../../model/service/services.ts";
import { atOnce, type Steps } from "../../model/steps.ts";
import { Selection, Tally } from "../../model/tally.ts";
import {
  BackendFlag,
  type Backend as BackendValue,
  type Frontend,
  type Member,
  Membership,
  ServiceFlag,
  type Service as ServiceValue,
  type Slot,
  type SourceRange,
  TABLE_FIRST,
} from "../kernel/layout.gen.ts";
import type { Contribution, Contributions, Entry } from "./desired.ts";
import { type Displaced, idOf, Numbering } from "./ids.ts";
import { keyText } from "./key.ts";
import { isOverSctp, sctpFrontends } from "./own-requests.ts";
import type { ClusterSnapshot } from "./snapshot.ts";

export interface ServiceMaps {
  readonly frontends: Contributions<Frontend, ServiceValue>;
  readonly sourceRanges: Contributions<SourceRange, number>;
  readonly slots: Contributions<Slot, number>;
  readonly members: Contributions<Member, number>;
  readonly backends: Contributions<number, BackendValue>;
  readonly compiled: readonly CompiledService[];
  readonly lost: ServedServices["lost"];
  /** Numbers of backend lists that are not their names' hashes. */
  readonly lists: Displaced;
  readonly healthChecks: readonly HealthCheck[];
  /** Whether a service chooses by a Maglev table. */
  readonly maglev: boolean;
  /** Those of SCTP that are served. */
  readonly sctp: readonly FrontendRule[];
  readonly problems: readonly Problem[];
  /** How many are too large and therefore not served. */
  readonly closed: number;
}

/** What one service contributes to each map. */
interface Lowered {
  readonly frontends: Contribution<Frontend, ServiceValue>;
  readonly sourceRanges: Contribution<SourceRange, number>;
  readonly slots: Contribution<Slot, number>;
  readonly members: Contribution<Member, number>;
  readonly backends: Contribution<number, BackendValue>;
}

/** Compiles the maps of services and host ports: assigns numbers to the model's frontends and backends. */
export class ServiceCompiler {
  readonly #served: ServiceSet;
  readonly #result = new Latest<ServiceMaps>();
  readonly #lowered = new DerivedList<CompiledService, Lowered>();
  #lastLost: ReadonlyMap<CompiledService, Lost> = new Map();
  readonly #overSctp = new Selection<CompiledService>(isOverSctp);
  readonly #tables = new Tally<CompiledService>(({ lists }) => lists.filter(({ table }) => table).length);
  readonly #listIds = new Numbering<CompiledService>(({ lists }) => lists.map(({ name }) => name));
  readonly #backendIds = new Numbering<CompiledService>(({ backends }) => backends);
  readonly #rangeIds = new Numbering<CompiledService>(({ clients }) => clients);

  constructor(room: Room) {
    this.#served = new ServiceSet(room);
  }

  /** In parts. Returns the same object as before if its inputs did not change. */
  *compiling(snapshot: ClusterSnapshot, nodes: NodeDirectory, rules: FrontendRules): Steps<ServiceMaps> {
    const served = yield* this.#served.compiling(snapshot, nodes, rules);
    return yield* this.#result.getting([served], () => this.#lowering(served));
  }

  *#lowering({ compiled, lost, healthChecks, problems, closed }: ServedServices): Steps<ServiceMaps> {
    const lists = yield* this.#listIds.assigning(compiled);
    const backends = yield* this.#backendIds.assigning(compiled);
    const ranges = yield* this.#rangeIds.assigning(compiled);
    const numbers = { lists, backends, ranges };
    const last = this.#lastLost;
    const all = yield* this.#lowered.deriving(
      compiled,
      [lists, backends, ranges],
      (item) => atOnce(() => lower({ item, numbers, lost: lost.get(item) })),
      lost.size + last.size > 0 ? (item) => lost.has(item) || last.has(item) : undefined,
    );
    this.#lastLost = lost;
    return {
      frontends: all.map(({ frontends }) => frontends),
      sourceRanges: all.map(({ sourceRanges }) => sourceRanges),
      slots: all.map(({ slots }) => slots),
      members: all.map(({ members }) => members),
      backends: all.map(({ backends }) => backends),
      compiled,
      lost,
      lists,
      healthChecks,
      maglev: this.#tables.over(compiled) > 0,
      sctp: sctpFrontends(this.#overSctp.of(compiled), lost),
      problems,
      closed,
    };
  }
}

/** Whatever has a number that is not its own hash. */
interface Numbers {
  readonly lists: Displaced;
  readonly backends: Displaced;
  readonly ranges: Displaced;
}

/** One compiled service with its numbers. */
interface Numbered {
  readonly item: CompiledService;
  readonly numbers: Numbers;
  readonly lost: Lost | undefined;
}

/** Entries that are made whenever they are asked for, which is when they come and when they go: kept, those of ten thousand
 * services would take most of an agent's memory. */
class Part<K, V> implements Contribution<K, V> {
  readonly #of: Numbered;
  readonly #make: (of: Numbered) => Iterable<Entry<K, V>>;

  constructor(of: Numbered, make: (of: Numbered) => Iterable<Entry<K, V>>) {
    this.#of = of;
    this.#make = make;
  }

  get owner(): string {
    return this.#of.item.owner;
  }

  get entries(): Iterable<Entry<K, V>> {
    return this.#make(this.#of);
  }
}

function lower(of: Numbered): Lowered {
  return {
    frontends: new Part(of, frontendEntries),
    sourceRanges: new Part(of, rangeEntries),
    slots: new Part(of, slotEntries),
    members: new Part(of, memberEntries),
    backends: new Part(of, backendEntries),
  };
}

function* frontendEntries({ item, numbers, lost }: Numbered): Iterable<Entry<Frontend, ServiceValue>> {
  for (const frontend of item.frontends) {
    const { key, list, affinitySeconds, clients } = frontend;
    if (frontend.claim === "health check" || lost?.has(keyText.frontends(key))) continue;
    const value = {
      backendList: idOf(numbers.lists, list.name),
      backendCount: list.places.length,
      localCount: list.localCount,
      clusterFirst: list.clusterFirst,
      affinitySeconds,
      flags: flagsOf(frontend),
      sourceRanges: clients ? idOf(numbers.ranges, clients) : 0,
      tableSize: frontend.trafficPolicy === "Local" ? 0 : (list.table?.length ?? 0),
    };
    yield { key, value };
  }
  const own = new Set(item.frontends.flatMap(({ claim, key }) => (claim === "cluster IP" ? key.address : [])));
  for (const address of own) {
    yield { key: { address, port: OTHER_PORTS, protocol: OTHER_PORTS }, value: NO_BACKENDS };
  }
}

function* rangeEntries({ item, numbers }: Numbered): Iterable<Entry<SourceRange, number>> {
  for (const clients of item.clients) {
    const set = idOf(numbers.ranges, clients);
    for (const { address, prefixLength } of clients.ranges)
      yield { key: { prefixLength: 32 + prefixLength, set, client: address }, value: 1 };
  }
}

function* slotEntries({ item, numbers }: Numbered): Iterable<Entry<Slot, number>> {
  for (const { name, places, table = [] } of item.lists) {
    const backendList = idOf(numbers.lists, name);
    for (const [index, backend] of places.entries())
      yield { key: { backendList, index }, value: idOf(numbers.backends, backend) };
    for (const [entry, backend] of table.entries())
      yield { key: { backendList, index: TABLE_FIRST + entry }, value: idOf(numbers.backends, backend) };
  }
}

function* memberEntries({ item, numbers }: Numbered): Iterable<Entry<Member, number>> {
  for (const { name, backends, kept } of item.lists) {
    const backendList = idOf(numbers.lists, name);
    for (const backend of backends)
      yield { key: { backendList, backend: idOf(numbers.backends, backend) }, value: Membership.CHOSEN };
    for (const backend of kept)
      yield { key: { backendList, backend: idOf(numbers.backends, backend) }, value: Membership.KEPT };
  }
}

function* backendEntries({ item, numbers }: Numbered): Iterable<Entry<number, BackendValue>> {
  for (const backend of item.backends) yield { key: idOf(numbers.backends, backend), value: backendValue(backend) };
}

const NO_BACKENDS: ServiceValue = {
  backendList: 0,
  backendCount: 0,
  localCount: 0,
  clusterFirst: 0,
  affinitySeconds: 0,
  flags: 0,
  sourceRanges: 0,
  tableSize: 0,
};

/** enum service_flag */
function flagsOf({ claim, trafficPolicy, affinitySeconds, returnMode }: ServedFrontend): number {
  // A client outside that asks at a cluster address is subject to its policy, as with kube-proxy.
  const local = ServiceFlag.EXTERNAL_LOCAL | (claim === "cluster IP" ? ServiceFlag.INTERNAL_LOCAL : 0);
  return (
    (affinitySeconds > 0 ? ServiceFlag.AFFINITY : 0) |
    (trafficPolicy === "Local" ? local : 0) |
    (claim === "host port" ? ServiceFlag.HOST_PORT : 0) |
    (returnMode ? ServiceFlag[`RETURN_${returnModes[returnMode].bpf}`] : 0)
  );
}

function backendValue({ address, node, port, protocol, local, hostNetwork, draining }: Backend): BackendValue {
  const flags =
    (local ? BackendFlag.LOCAL : 0) |
    (hostNetwork ? BackendFlag.HOST_NETWORK : 0) |
    (draining ? BackendFlag.DRAINING : 0);
  return { address, node, port, protocol, flags };
}
