import type { Pod } from "../api/core.ts";
import { objectName } from "../api/metadata.ts";
import type { NetworkPolicy } from "../api/networking.ts";
import { Direction, POLICY_ANY_IDENTITY, type PolicyKey, type PolicyValue } from "../kernel/layout.gen.ts";
import type { Contributions, Entry, Problem } from "./desired.ts";
import { DROPPED, encode } from "./encode.ts";
import { isPodOf } from "./endpoint_pod.ts";
import { containerPorts, type Identity, type Vocabulary, vocabulary } from "./identity.ts";
import { type Displaced, idOf, type Named, Numbering, named } from "./ids.ts";
import { ANYBODY, type Judgement, judge, portName } from "./judge.ts";
import { Memo } from "./memo.ts";
import { type CompiledPolicy, compileNetworkPolicy, isSelected } from "./network-policy.ts";
import type { Rule, Tier } from "./rules.ts";
import type { ClusterSnapshot, LocalEndpoint } from "./snapshot.ts";

/** What applies to an endpoint, whoever else it applies to. Its name is its content: the entries under its number never
 * change their meaning, so an endpoint moves from one state to the next in a single write. */
export interface EndpointPolicy {
  readonly name: Named;
  readonly owner: string;
  /** The objects it is made of: "NetworkPolicy default/a, NetworkPolicy default/b". */
  readonly sources: string;
  readonly ingress?: readonly Tier[];
  readonly egress?: readonly Tier[];
}

/** Which policies apply to which endpoint, before identities and numbers. */
export interface Selection {
  /** By endpoint; an endpoint that no policy selects is absent. */
  readonly policies: ReadonlyMap<LocalEndpoint, EndpointPolicy>;
  /** Every policy that is in force on this node. */
  readonly shared: ReadonlyMap<string, SharedPolicy>;
  /** The objects they are made of. */
  readonly sources: readonly CompiledPolicy[];
  readonly vocabulary: Vocabulary;
  readonly problems: readonly Problem[];
}

export interface PolicyMap {
  readonly policies: Contributions<PolicyKey, PolicyValue>;
  /** The objects that each number's policy is made of. */
  readonly names: ReadonlyMap<number, string>;
  idOf(policy: EndpointPolicy): number;
}

export interface SharedPolicy {
  readonly policy: EndpointPolicy;
  readonly judged: JudgedPolicy;
}

export class PolicyCompiler {
  readonly #compiled = new Memo<NetworkPolicy, CompiledPolicy>();
  readonly #ids = new Numbering<EndpointPolicy>(({ name }) => [name]);
  #shared: ReadonlyMap<string, SharedPolicy> = new Map();

  /** Finds what applies to this node's endpoints; peers that only other nodes' policies name are nobody here. */
  select({ networkPolicies, endpoints, pods }: ClusterSnapshot): Selection {
    const compiled = networkPolicies.map((item) => this.#compiled.get(item, [], () => compileNetworkPolicy(item)));
    const byNamespace = Map.groupBy(compiled, ({ namespace }) => namespace);
    const names = new Set(endpoints.map(({ namespace, pod }) => `${namespace}/${pod}`));
    const local = new Map(pods.filter((pod) => names.has(objectName(pod))).map((pod) => [objectName(pod), pod]));
    const inForce = new Set<CompiledPolicy>();
    const policies = new Map<LocalEndpoint, EndpointPolicy>();
    const inUse = new Map<string, SharedPolicy>();
    for (const endpoint of endpoints) {
      const pod = local.get(`${endpoint.namespace}/${endpoint.pod}`);
      if (!pod || !isPodOf(pod, endpoint)) continue;
      const selecting = (byNamespace.get(endpoint.namespace) ?? [])
        .filter((policy) => isSelected(policy, endpoint.namespace, pod.metadata.labels ?? {}))
        .sort((a, b) => (a.owner < b.owner ? -1 : 1));
      if (selecting.length === 0) continue;
      for (const policy of selecting) inForce.add(policy);
      const made = combine(selecting, pod);
      const shared = inUse.get(made.name.name) ?? this.#shared.get(made.name.name) ?? shareable(made);
      inUse.set(made.name.name, shared);
      policies.set(endpoint, shared.policy);
    }
    this.#shared = inUse;
    const sources = [...inForce];
    const problems = compiled.flatMap((policy) => policy.problems);
    return { policies, shared: inUse, sources, vocabulary: vocabulary(sources), problems };
  }

  /** Judges every identity by every policy of the selection. */
  compile({ shared }: Pick<Selection, "shared">, identities: ReadonlyMap<Identity, number>): PolicyMap {
    const displaced = this.#ids.assign([...shared.values()].map(({ policy }) => policy));
    const policies = new Map(
      [...shared.values()].map(({ policy, judged }) => [policy.owner, judged.entries(displaced, identities)]),
    );
    const names = new Map([...shared.values()].map(({ policy }) => [idOf(displaced, policy.name), policy.sources]));
    return { policies, names, idOf: (policy) => idOf(displaced, policy.name) };
  }
}

function shareable(policy: EndpointPolicy): SharedPolicy {
  return { policy, judged: new JudgedPolicy(policy) };
}

/** One policy's verdicts, each identity judged once in its life. */
export class JudgedPolicy {
  readonly #policy: EndpointPolicy;
  readonly #anybody: ReadonlyMap<number, Judgement>;
  readonly #entries = new Memo<Identity, readonly Entry<PolicyKey, PolicyValue>[]>();
  #last:
    | { id: number; identities: ReadonlyMap<Identity, number>; entries: readonly Entry<PolicyKey, PolicyValue>[] }
    | undefined;

  constructor(policy: EndpointPolicy) {
    this.#policy = policy;
    this.#anybody = new Map(directions(policy).map(([direction, tiers]) => [direction, judge(tiers, ANYBODY)]));
  }

  entries(displaced: Displaced, identities: ReadonlyMap<Identity, number>): readonly Entry<PolicyKey, PolicyValue>[] {
    const id = idOf(displaced, this.#policy.name);
    const last = this.#last;
    if (last?.id === id && sameEntries(last.identities, identities)) return last.entries;
    const all = this.#forAnybody(id);
    for (const [identity, number] of identities) {
      all.push(...this.#entries.get(identity, [id, number], () => this.#forIdentity(id, identity, number)));
    }
    this.#last = { id, identities, entries: all };
    return all;
  }

  #forAnybody(policy: number): Entry<PolicyKey, PolicyValue>[] {
    return [...this.#anybody].flatMap(([direction, judgement]) =>
      encode({ policy, identity: POLICY_ANY_IDENTITY, direction }, judgement, DROPPED),
    );
  }

  #forIdentity(policy: number, identity: Identity, number: number): Entry<PolicyKey, PolicyValue>[] {
    return directions(this.#policy).flatMap(([direction, tiers]) =>
      encode({ policy, identity: number, direction }, judge(tiers, identity), this.#anybody.get(direction) ?? DROPPED),
    );
  }
}

function directions({ ingress, egress }: EndpointPolicy): [number, readonly Tier[]][] {
  return [
    ...(ingress ? [[Direction.INGRESS, ingress] satisfies [number, readonly Tier[]]] : []),
    ...(egress ? [[Direction.EGRESS, egress] satisfies [number, readonly Tier[]]] : []),
  ];
}

/** NetworkPolicies add up: what any of them allows is allowed, and a direction that any of them names is isolated. */
function combine(policies: readonly CompiledPolicy[], pod: Pod): EndpointPolicy {
  const ingress = policies.flatMap((policy) => (policy.ingress ? [policy.ingress] : []));
  const egress = policies.flatMap((policy) => (policy.egress ? [policy.egress] : []));
  const tiers = {
    ...(ingress.length > 0 && { ingress: [tier(ingress.flat().map((rule) => atDestination(rule, pod)))] }),
    ...(egress.length > 0 && { egress: [tier(egress.flat())] }),
  };
  const owners = policies.map(({ owner }) => owner).join(", ");
  const name = named(`${owners} ${JSON.stringify(tiers)}`);
  return { name, owner: `${owners} (${name.hash.toString(16)})`, sources: owners, ...tiers };
}

function tier(rules: readonly Rule[]): Tier {
  return { rules, otherwise: "deny" };
}

/** Ports that an ingress rule names are those of the pod itself. */
function atDestination(rule: Rule, pod: Pod): Rule {
  if (!rule.ports?.some((match) => "name" in match)) return rule;
  const known = containerPorts(pod);
  const ports = rule.ports.flatMap((match) => {
    if (!("name" in match)) return [match];
    const number = known.get(portName(match.protocol, match.name));
    return number === undefined ? [] : [{ protocol: match.protocol, first: number, last: number }];
  });
  return { ...rule, ports };
}

function sameEntries<K, V>(a: ReadonlyMap<K, V>, b: ReadonlyMap<K, V>): boolean {
  if (a.size !== b.size) return false;
  for (const [key, value] of a) if (b.get(key) !== value) return false;
  return true;
}
