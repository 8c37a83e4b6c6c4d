import { Memo } from "../memo.ts";
import { type Named, named } from "../named.ts";
import type { Pod } from "../objects/core.ts";
import { objectName } from "../objects/metadata.ts";
import type { NetworkPolicy } from "../objects/networking.ts";
import { isPodOf, type PodName } from "../objects/pod-of.ts";
import type { Problem } from "../problem.ts";
import { each, finish, type Steps } from "../steps.ts";
import { beforeInTier, type CompiledPolicy } from "./compiled-policy.ts";
import { containerPorts, type Vocabulary, vocabularyOf } from "./identity.ts";
import { closed, closingOrder } from "./limits.ts";
import { compileNetworkPolicy } from "./network-policy.ts";
import { ownPortNames, withOwnPorts } from "./own-ports.ts";
import { type Decision, OPEN, type Tier } from "./rules.ts";
import { tiersOf } from "./tiers.ts";
import { podAsSubject } from "./who.ts";
import type { Who } from "./workload-selector.ts";

/** The policies of an endpoint; other endpoints may share them. Its name is its content: the entries under its number never
 * change their meaning, so an endpoint moves from one state to the next in a single write. */
export interface EndpointPolicy {
  readonly name: Named;
  readonly owner: string;
  /** The objects it consists of: "NetworkPolicy default/a, NetworkPolicy default/b". */
  readonly sources: string;
  /** A direction in which nothing is to be asked is absent. */
  readonly ingress?: readonly Tier[];
  readonly egress?: readonly Tier[];
  /** What holds after the last tier. */
  readonly afterwards: Decision;
}

/** Whom policies may select. */
export interface Subjects<Endpoint extends PodName> {
  readonly networkPolicies: readonly NetworkPolicy[];
  readonly endpoints: readonly Endpoint[];
  /** Those of the endpoints, and any others. */
  readonly pods: readonly Pod[];
  /** What names of policies are hashed with (named.ts). */
  readonly salt?: string | undefined;
}

/** Policies that are closed because all together are too large: how many, those that take most first, and why. */
export interface Excess {
  readonly count: number;
  readonly why: string;
}

const NO_EXCESS: Excess = { count: 0, why: "" };

/** Which policies apply to which endpoint. */
export interface Selection<Endpoint extends PodName = PodName> {
  /** By endpoint; an endpoint that no policy selects is absent. Endpoints to which the same applies have the same object. */
  readonly policies: ReadonlyMap<Endpoint, EndpointPolicy>;
  /** Every policy that is in force, by name. */
  readonly inForce: ReadonlyMap<string, EndpointPolicy>;
  /** The objects they consist of. */
  readonly sources: readonly CompiledPolicy[];
  readonly vocabulary: Vocabulary;
  readonly problems: readonly Problem[];
  /** How many of the sources are too large and therefore allow nothing. */
  readonly closed: number;
}

/** Finds what applies to endpoints. What did not change since the last time is the very same object. */
export class PolicySelector {
  readonly #compiled = new Memo<NetworkPolicy, CompiledPolicy>();
  readonly #closed = new Memo<CompiledPolicy, CompiledPolicy>();
  #known = new Map<string, EndpointPolicy>();
  #before: ReadonlyMap<string, EndpointPolicy> = new Map();
  #vocabulary: Vocabulary | undefined;

  /** All at once. */
  select<Endpoint extends PodName>(subjects: Subjects<Endpoint>): Selection<Endpoint> {
    return finish(this.selecting(subjects));
  }

  /** The same in parts. Peers that only policies of other endpoints name are not told apart. */
  *selecting<Endpoint extends PodName>(
    { networkPolicies, endpoints, pods, salt }: Subjects<Endpoint>,
    excess = NO_EXCESS,
  ): Steps<Selection<Endpoint>> {
    const compiled: CompiledPolicy[] = [];
    yield* each(
      networkPolicies,
      (item) => compiled.push(this.#compiled.get(item, [], () => compileNetworkPolicy(item))),
      1,
    );
    const selected = yield* selectedBy(compiled, endpoints, pods);
    const sources = new Set([...selected.values()].flatMap(({ policies }) => policies));
    const standing = this.#closing(sources, excess);
    // What a first try was compiled to is remembered although it is not what comes out.
    if (excess.count === 0) [this.#before, this.#known] = [this.#known, new Map()];
    const policies = new Map<Endpoint, EndpointPolicy>();
    const inForce = new Map<string, EndpointPolicy>();
    const places = new Map(compiled.map((policy, place) => [policy, place]));
    const alike = new Map<string, EndpointPolicy>();
    for (const [endpoint, { policies: selecting, pod }] of selected) {
      const ports = portsFor(selecting, pod);
      // Of a hundred pods under the same policies the text, which may be long, is made once.
      const id = `${selecting.map((policy) => places.get(policy)).join()} ${ports}`;
      const made = alike.get(id) ?? this.#remembered(combine(selecting.map(standing), pod, ports, salt));
      alike.set(id, made);
      inForce.set(made.name.name, made);
      policies.set(endpoint, made);
      yield;
    }
    this.#vocabulary = yield* vocabularyOf([...sources].map(standing), this.#vocabulary);
    return {
      policies,
      inForce,
      sources: [...sources].map(standing),
      vocabulary: this.#vocabulary,
      problems: compiled.map(standing).flatMap((policy) => policy.problems),
      closed: [...sources].map(standing).filter((policy) => policy.closed).length,
    };
  }

  /** What stands for each policy while some are closed. */
  #closing(sources: ReadonlySet<CompiledPolicy>, { count, why }: Excess): (policy: CompiledPolicy) => CompiledPolicy {
    if (count === 0) return (policy) => policy;
    const substitutes = new Map(
      closingOrder([...sources])
        .slice(0, count)
        .map((policy) => [policy, this.#closed.get(policy, [why], () => closed(policy, why))]),
    );
    return (policy) => substitutes.get(policy) ?? policy;
  }

  #remembered(made: EndpointPolicy): EndpointPolicy {
    const policy = this.#known.get(made.name.name) ?? this.#before.get(made.name.name) ?? made;
    this.#known.set(policy.name.name, policy);
    return policy;
  }
}

/** Endpoints that some policy selects, with those policies in a fixed order. */
function* selectedBy<Endpoint extends PodName>(
  compiled: readonly CompiledPolicy[],
  endpoints: readonly Endpoint[],
  pods: readonly Pod[],
): Steps<ReadonlyMap<Endpoint, { pod: Pod; policies: readonly CompiledPolicy[] }>> {
  const byNamespace = Map.groupBy(compiled, ({ namespace }) => namespace);
  const names = new Set(endpoints.map(({ namespace, pod }) => `${namespace}/${pod}`));
  const local = new Map(pods.filter((pod) => names.has(objectName(pod))).map((pod) => [objectName(pod), pod]));
  const found = new Map<Endpoint, { pod: Pod; policies: readonly CompiledPolicy[] }>();
  for (const endpoint of endpoints) {
    const pod = local.get(`${endpoint.namespace}/${endpoint.pod}`);
    if (!pod || !isPodOf(pod, endpoint)) continue;
    const policies = yield* selecting(byNamespace.get(endpoint.namespace) ?? [], podAsSubject(pod, undefined));
    if (policies.length > 0) found.set(endpoint, { pod, policies });
  }
  return found;
}

/** Those of the policies that select `who`, in the order in which they are asked. */
function* selecting(policies: readonly CompiledPolicy[], who: Who): Steps<CompiledPolicy[]> {
  const found: CompiledPolicy[] = [];
  yield* each(policies, (policy) => {
    if (policy.subject.selects(who)) found.push(policy);
  });
  return found.sort(beforeInTier);
}

/** What the policies mean together for one pod. */
function combine(policies: readonly CompiledPolicy[], pod: Pod, ports: string, salt?: string): EndpointPolicy {
  const known = containerPorts(pod);
  const own = policies.map((policy) => withOwnPorts(policy, known));
  const [ingress, egress] = [tiersOf(own, "ingress"), tiersOf(own, "egress")];
  const tiers = { ...(ingress && { ingress }), ...(egress && { egress }) };
  const owners = policies.map(({ owner }) => owner).join(", ");
  const directions = policies.map(({ ingress, egress }) => (ingress ? "i" : "") + (egress ? "e" : "")).join();
  const name = named([owners, directions, ports, ...policies.map(({ text }) => text)].join(" "), salt);
  return { name, owner: `${owners} (${name.hash.toString(16)})`, sources: owners, ...tiers, afterwards: OPEN };
}

/** Ports of the pod that its policies name, with their numbers: what a policy means for this pod and not for others. */
function portsFor(policies: readonly CompiledPolicy[], pod: Pod): string {
  const wanted = new Set(policies.flatMap((policy) => [...ownNames.get(policy, [], () => ownPortNames(policy))]));
  if (wanted.size === 0) return "";
  const known = containerPorts(pod);
  return [...wanted]
    .map((name) => `${name}=${known.get(name)}`)
    .sort()
    .join();
}

const ownNames = new Memo<CompiledPolicy, ReadonlySet<string>>();
