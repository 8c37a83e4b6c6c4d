import { DerivedList } from "../../model/derived-list.ts";
import { Latest } from "../../model/memo.ts";
import { returnModes } from "../../model/mode/mode.ts";
import type { NodeDirectory } from "../../model/node/nodes.ts";
import type { Problem } from "../../model/problem.ts";
import type { Backend } from "../../model/service/backends.ts";
import { OTHER_PORTS } from "../../model/service/frontend.ts";
import type { Lost } from "../../model/service/frontend-claims.ts";
import type { FrontendRules } from "../../model/service/frontend-rules.ts";
import type { HealthCheck } from "../../model/service/health-check.ts";
import type { Room } from "../../model/service/limits.ts";
import type { CompiledService, ServedFrontend } from "../../model/service/service.ts";
import { type ServedServices, ServiceSet } from "../../model/service/services.ts";
import type { RangeSet } from "../../model/service/source-ranges.ts";
import { each, type Steps } from "../../model/steps.ts";
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
import type { ClusterSnapshot } from "./snapshot.ts";

export interface ServiceMaps {
  readonly frontends: Contributions<Frontend, ServiceValue>;
  readonly sourceRanges: Contributions<SourceRange, number>;
  readonly slots: Contributions<Slot, number>;
  readonly members: Contributions<Member, number>;
  readonly backends: Contributions<number, BackendValue>;
  readonly compiled: readonly CompiledService[];
  readonly healthChecks: readonly HealthCheck[];
  /** Whether a service chooses by a Maglev table. */
  readonly maglev: boolean;
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
  readonly #listIds = new Numbering<CompiledService>(({ lists }) => lists.map(({ name }) => name));
  readonly #backendIds = new Numbering<CompiledService>(({ backends }) => backends.map(({ name }) => name));
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
      (item) => lower(item, numbers, lost.get(item)),
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
      healthChecks,
      maglev: compiled.some(({ lists }) => lists.some(({ table }) => table)),
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

/** Gives one compiled service its numbers. */
function* lower(item: CompiledService, { lists, backends, ranges }: Numbers, lost: Lost | undefined): Steps<Lowered> {
  const made = {
    frontends: [] as Entry<Frontend, ServiceValue>[],
    sourceRanges: item.clients.flatMap((clients) => rangeEntries(idOf(ranges, clients), clients)),
    slots: [] as Entry<Slot, number>[],
    members: [] as Entry<Member, number>[],
    backends: [] as Entry<number, BackendValue>[],
  };
  yield* each(item.frontends, (frontend) => {
    const { key, list, affinitySeconds, clients } = frontend;
    const id = keyText.frontends(key);
    if (lost?.has(id) || frontend.claim === "health check") return;
    const { localCount, clusterFirst } = list;
    const counts = { backendCount: list.backends.length, localCount, clusterFirst };
    const sourceRanges = clients ? idOf(ranges, clients) : 0;
    const value = {
      backendList: idOf(lists, list.name),
      ...counts,
      affinitySeconds,
      flags: flagsOf(frontend),
      sourceRanges,
      tableSize: frontend.trafficPolicy === "Local" ? 0 : (list.table?.length ?? 0),
    };
    made.frontends.push({ id, key, value });
  });
  for (const address of new Set(
    item.frontends.flatMap(({ claim, key }) => (claim === "cluster IP" ? key.address : [])),
  )) {
    const key = { address, port: OTHER_PORTS, protocol: OTHER_PORTS };
    made.frontends.push({ id: keyText.frontends(key), key, value: NO_BACKENDS });
  }
  for (const list of item.lists) {
    const backendList = idOf(lists, list.name);
    let index = 0;
    yield* each(list.backends, ({ name }) => {
      const backend = idOf(backends, name);
      const [slot, member] = [
        { backendList, index: index++ },
        { backendList, backend },
      ];
      made.slots.push({ id: keyText.slots(slot), key: slot, value: backend });
      made.members.push({ id: keyText.members(member), key: member, value: Membership.CHOSEN });
    });
    let entry = TABLE_FIRST;
    yield* each(list.table ?? [], ({ name }) => {
      const slot = { backendList, index: entry++ };
      made.slots.push({ id: keyText.slots(slot), key: slot, value: idOf(backends, name) });
    });
    yield* each(list.kept, ({ name }) => {
      const member = { backendList, backend: idOf(backends, name) };
      made.members.push({ id: keyText.members(member), key: member, value: Membership.KEPT });
    });
  }
  yield* each(item.backends, (backend) => {
    const key = idOf(backends, backend.name);
    made.backends.push({ id: keyText.backends(key), key, value: backendValue(backend) });
  });
  const { owner } = item;
  return {
    frontends: { owner, entries: made.frontends },
    sourceRanges: { owner, entries: made.sourceRanges },
    slots: { owner, entries: made.slots },
    members: { owner, entries: made.members },
    backends: { owner, entries: made.backends },
  };
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
  const local = claim === "cluster IP" ? ServiceFlag.INTERNAL_LOCAL : ServiceFlag.EXTERNAL_LOCAL;
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

/** The entries of a set of ranges under its number. */
function rangeEntries(set: number, { ranges }: RangeSet): Entry<SourceRange, number>[] {
  return ranges.map(({ address, prefixLength }) => {
    const key = { prefixLength: 32 + prefixLength, set, client: address };
    return { id: keyText.sourceRanges(key), key, value: 1 };
  });
}
