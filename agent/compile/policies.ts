import { Memo } from "../../model/memo.ts";
import type { Pod } from "../../model/objects/core.ts";
import { objectName } from "../../model/objects/metadata.ts";
import type { NetworkPolicy } from "../../model/objects/networking.ts";
import type { Problem } from "../../model/problem.ts";
import { each, finish, type Steps } from "../../model/steps.ts";
import type { PolicyKey, PolicyValue } from "../kernel/layout.gen.ts";
import type { Contributions, Entry } from "./desired.ts";
import { isPodOf } from "./endpoint-pod.ts";
import { containerPorts, type Identity, type Vocabulary, vocabularyOf } from "./identity.ts";
import { idOf, type Named, Numbering, named } from "./ids.ts";
import { portName } from "./judge.ts";
import { JudgedPolicy } from "./judged-policy.ts";
import { closed, closingOrder, NODE_POLICY_ENTRIES } from "./limits.ts";
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
  /** How many of the sources are too large and therefore allow nothing. */
  readonly closed: number;
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
  readonly #closed = new Memo<CompiledPolicy, CompiledPolicy>();
  readonly #ids = new Numbering<EndpointPolicy>(({ name }) => [name]);
  #shared = new Map<string, SharedPolicy>();
  #before: ReadonlyMap<string, SharedPolicy> = new Map();
  #vocabulary: Vocabulary | undefined;

  /** All at once. */
  select(snapshot: ClusterSnapshot): Selection {
    return finish(this.selecting(snapshot));
  }

  /** Finds what applies to this node's endpoints; peers that only other nodes' policies name are nobody here. `closing`
   * policies, those that take most, are closed because all together are too large. */
  *selecting({ networkPolicies, endpoints, pods, facts }: ClusterSnapshot, closing = 0): Steps<Selection> {
    const compiled: CompiledPolicy[] = [];
    yield* each(
      networkPolicies,
      (item) => compiled.push(this.#compiled.get(item, [], () => compileNetworkPolicy(item))),
      1,
    );
    const selected = yield* selectedBy(compiled, endpoints, pods);
    const inForce = new Set([...selected.values()].flatMap(({ policies }) => policies));
    const excess = `does not fit beside the other policies of node ${facts.nodeName}, which have room for ${NODE_POLICY_ENTRIES} entries`;
    const substitutes = new Map(
      closingOrder(closing > 0 ? [...inForce] : [])
        .slice(0, closing)
        .map((policy) => [policy, this.#closed.get(policy, [excess], () => closed(policy, excess))]),
    );
    const standing = (policy: CompiledPolicy) => substitutes.get(policy) ?? policy;
    // What a first try was judged by is remembered although it is not what comes out.
    if (closing === 0) [this.#before, this.#shared] = [this.#shared, new Map()];
    const known = (name: string) => this.#shared.get(name) ?? this.#before.get(name);
    const policies = new Map<LocalEndpoint, EndpointPolicy>();
    const inUse = new Map<string, SharedPolicy>();
    const places = new Map(compiled.map((policy, place) => [policy, place]));
    const alike = new Map<string, EndpointPolicy>();
    for (const [endpoint, { policies: selecting, pod }] of selected) {
      const ports = portsFor(selecting, pod);
      // Of a hundred pods under the same policies the text, which may be long, is made once.
      const id = `${selecting.map((policy) => places.get(policy)).join()} ${ports}`;
      const made = alike.get(id) ?? combine(selecting.map(standing), pod, ports, facts.salt);
      alike.set(id, made);
      const shared = known(made.name.name) ?? shareable(made);
      inUse.set(made.name.name, shared);
      this.#shared.set(made.name.name, shared);
      policies.set(endpoint, shared.policy);
      yield;
    }
    const sources = [...inForce].map(standing);
    const problems = compiled.map(standing).flatMap((policy) => policy.problems);
    this.#vocabulary = yield* vocabularyOf(sources, this.#vocabulary);
    const closedCount = sources.filter((policy) => policy.closed).length;
    return { policies, shared: inUse, sources, vocabulary: this.#vocabulary, problems, closed: closedCount };
  }

  /** Judges every identity by every policy of the selection. Undefined where that makes more than `limit` entries. */
  *compile(
    { shared }: Pick<Selection, "shared">,
    identities: ReadonlyMap<Identity, number>,
    limit: number,
  ): Steps<PolicyMap | undefined> {
    const displaced = this.#ids.assign([...shared.values()].map(({ policy }) => policy));
    const policies = new Map<string, readonly Entry<PolicyKey, PolicyValue>[]>();
    let room = limit;
    for (const { policy, judged } of shared.values()) {
      const entries = yield* judged.entries(idOf(displaced, policy.name), identities, room);
      if (!entries) return undefined;
      room -= entries.length;
      policies.set(policy.owner, entries);
    }
    const names = new Map([...shared.values()].map(({ policy }) => [idOf(displaced, policy.name), policy.sources]));
    return { policies, names, idOf: (policy) => idOf(displaced, policy.name) };
  }
}

function shareable(policy: EndpointPolicy): SharedPolicy {
  return { policy, judged: new JudgedPolicy(policy) };
}

/** Endpoints that some policy selects, with those policies in a fixed order. */
function* selectedBy(
  compiled: readonly CompiledPolicy[],
  endpoints: readonly LocalEndpoint[],
  pods: readonly Pod[],
): Steps<ReadonlyMap<LocalEndpoint, { pod: Pod; policies: readonly CompiledPolicy[] }>> {
  const byNamespace = Map.groupBy(compiled, ({ namespace }) => namespace);
  const names = new Set(endpoints.map(({ namespace, pod }) => `${namespace}/${pod}`));
  const local = new Map(pods.filter((pod) => names.has(objectName(pod))).map((pod) => [objectName(pod), pod]));
  const found = new Map<LocalEndpoint, { pod: Pod; policies: readonly CompiledPolicy[] }>();
  for (const endpoint of endpoints) {
    const pod = local.get(`${endpoint.namespace}/${endpoint.pod}`);
    if (!pod || !isPodOf(pod, endpoint)) continue;
    const labels = pod.metadata.labels ?? {};
    const policies: CompiledPolicy[] = [];
    yield* each(byNamespace.get(endpoint.namespace) ?? [], (policy) => {
      if (isSelected(policy, endpoint.namespace, labels)) policies.push(policy);
    });
    policies.sort((a, b) => (a.owner < b.owner ? -1 : 1));
    if (policies.length > 0) found.set(endpoint, { pod, policies });
  }
  return found;
}

/** NetworkPolicies add up: what any of them allows is allowed, and a direction that any of them names is isolated. */
function combine(policies: readonly CompiledPolicy[], pod: Pod, ports: string, salt?: string): EndpointPolicy {
  const ingress = policies.flatMap((policy) => (policy.ingress ? [policy.ingress] : []));
  const egress = policies.flatMap((policy) => (policy.egress ? [policy.egress] : []));
  const tiers = {
    ...(ingress.length > 0 && { ingress: [tier(ingress.flat().map((rule) => atDestination(rule, pod)))] }),
    ...(egress.length > 0 && { egress: [tier(egress.flat())] }),
  };
  const owners = policies.map(({ owner }) => owner).join(", ");
  const directions = policies.map(({ ingress, egress }) => (ingress ? "i" : "") + (egress ? "e" : "")).join();
  const name = named([owners, directions, ports, ...policies.map(({ text }) => text)].join(" "), salt);
  return { name, owner: `${owners} (${name.hash.toString(16)})`, sources: owners, ...tiers };
}

function tier(rules: readonly Rule[]): Tier {
  return { rules, otherwise: "deny" };
}

/** Ports of the pod that ingress rules name, with their numbers: what a policy means for this pod and not for others. */
function portsFor(policies: readonly CompiledPolicy[], pod: Pod): string {
  const wanted = new Set(policies.flatMap((policy) => [...ingressNames.get(policy, [], () => namesIn(policy))]));
  if (wanted.size === 0) return "";
  const known = containerPorts(pod);
  return [...wanted]
    .map((name) => `${name}=${known.get(name)}`)
    .sort()
    .join();
}

const ingressNames = new Memo<CompiledPolicy, ReadonlySet<string>>();

function namesIn({ ingress = [] }: CompiledPolicy): ReadonlySet<string> {
  const found = new Set<string>();
  for (const { ports = [] } of ingress) {
    for (const match of ports) if ("name" in match) found.add(portName(match.protocol, match.name));
  }
  return found;
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
