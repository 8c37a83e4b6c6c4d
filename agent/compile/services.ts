import { Latest, Memo } from "../../model/memo.ts";
import { returnModes } from "../../model/mode/mode.ts";
import type { NodeDirectory } from "../../model/node/nodes.ts";
import type { Problem } from "../../model/problem.ts";
import type { Backend } from "../../model/service/backends.ts";
import { OTHER_PORTS } from "../../model/service/frontend.ts";
import type { Lost } from "../../model/service/frontend-claims.ts";
import type { FrontendRules } from "../../model/service/frontend-rules.ts";
import type { HealthCheck } from "../../model/service/health-check.ts";
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
} from "../kernel/layout.gen.ts";
import type { Contributions, Entry } from "./desired.ts";
import { type Displaced, idOf, Numbering } from "./ids.ts";
import { keyText } from "./key.ts";
import { NODE_ROOM } from "./limits.ts";
import type { ClusterSnapshot } from "./snapshot.ts";

export interface ServiceMaps {
  readonly frontends: Contributions<Frontend, ServiceValue>;
  readonly sourceRanges: Contributions<SourceRange, number>;
  readonly slots: Contributions<Slot, number>;
  readonly members: Contributions<Member, number>;
  readonly backends: Contributions<number, BackendValue>;
  readonly compiled: readonly CompiledService[];
  readonly healthChecks: readonly HealthCheck[];
  readonly problems: readonly Problem[];
  /** How many are too large and therefore not served. */
  readonly closed: number;
}

interface ServiceEntries {
  readonly frontends: readonly Entry<Frontend, ServiceValue>[];
  readonly sourceRanges: readonly Entry<SourceRange, number>[];
  readonly slots: readonly Entry<Slot, number>[];
  readonly members: readonly Entry<Member, number>[];
  readonly backends: readonly Entry<number, BackendValue>[];
}

/** Compiles the maps of services and host ports: assigns numbers to the model's frontends and backends. */
export class ServiceCompiler {
  readonly #served = new ServiceSet(NODE_ROOM);
  readonly #result = new Latest<ServiceMaps>();
  readonly #entries = new Memo<CompiledService, ServiceEntries>();
  readonly #listIds = new Numbering<CompiledService>(({ lists }) => lists.map(({ name }) => name));
  readonly #backendIds = new Numbering<CompiledService>(({ backends }) => backends.map(({ name }) => name));
  readonly #rangeIds = new Numbering<CompiledService>(({ clients }) => clients);

  /** In parts. Returns the same object as before if its inputs did not change. */
  *compiling(snapshot: ClusterSnapshot, nodes: NodeDirectory, rules: FrontendRules): Steps<ServiceMaps> {
    const served = yield* this.#served.compiling(snapshot, nodes, rules);
    return yield* this.#result.getting([served], () => this.#lowering(served));
  }

  *#lowering({ compiled, lost, healthChecks, problems, closed }: ServedServices): Steps<ServiceMaps> {
    const lists = yield* this.#listIds.assigning(compiled);
    const backends = yield* this.#backendIds.assigning(compiled);
    const ranges = yield* this.#rangeIds.assigning(compiled);
    const entries: (readonly [string, ServiceEntries])[] = [];
    for (const item of compiled) {
      const without = [...(lost.get(item)?.keys() ?? [])].join();
      const lowered = () => lower(item, { lists, backends, ranges }, lost.get(item));
      entries.push([item.owner, yield* this.#entries.getting(item, [lists, backends, ranges, without], lowered)]);
    }
    return {
      frontends: new Map(entries.map(([owner, { frontends }]) => [owner, frontends])),
      sourceRanges: new Map(entries.map(([owner, { sourceRanges }]) => [owner, sourceRanges])),
      slots: new Map(entries.map(([owner, { slots }]) => [owner, slots])),
      members: new Map(entries.map(([owner, { members }]) => [owner, members])),
      backends: new Map(entries.map(([owner, { backends }]) => [owner, backends])),
      compiled,
      healthChecks,
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
function* lower(
  item: CompiledService,
  { lists, backends, ranges }: Numbers,
  lost: Lost | undefined,
): Steps<ServiceEntries> {
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
    yield* each(list.kept, ({ name }) => {
      const member = { backendList, backend: idOf(backends, name) };
      made.members.push({ id: keyText.members(member), key: member, value: Membership.KEPT });
    });
  }
  yield* each(item.backends, (backend) => {
    const key = idOf(backends, backend.name);
    made.backends.push({ id: keyText.backends(key), key, value: backendValue(backend) });
  });
  return made;
}

const NO_BACKENDS: ServiceValue = {
  backendList: 0,
  backendCount: 0,
  localCount: 0,
  clusterFirst: 0,
  affinitySeconds: 0,
  flags: 0,
  sourceRanges: 0,
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
