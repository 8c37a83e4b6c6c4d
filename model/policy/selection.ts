import { Latest, Memo, sameObjects } from "../memo.ts";
import type { Pod } from "../objects/core.ts";
import type { Problem } from "../problem.ts";
import { finish, type Steps } from "../steps.ts";
import { combine, combineByOwnEnd, isByOwnEnd, ownEndsText, subjectText } from "./combine.ts";
import { beforeInTier, type CompiledPolicy } from "./compiled-policy.ts";
import type { EndpointPolicy } from "./endpoint-policy.ts";
import { closed } from "./limits.ts";
import { atOwnSide } from "./own-side.ts";
import { PeerCounts } from "./peer-counts.ts";
import { type CompiledObjects, PolicyObjectCompiler, type PolicyObjects } from "./policy-objects.ts";
import { SelectorIndex } from "./selector-index.ts";
import { closingOrder, type Excess } from "./shares.ts";
import type { Subject } from "./subject.ts";
import { type Labelled, type Vocabulary, vocabularyOf } from "./vocabulary.ts";
import type { WorkloadSelector } from "./workload-selector.ts";

/** The endpoints that policies may select. */
export interface Subjects<Key> extends PolicyObjects {
  readonly subjects: ReadonlyMap<Key, Subject>;
  /** What names of policies are hashed with (named.ts). */
  readonly salt?: string | undefined;
}

/** What the selectors of all policies together may cost. */
export interface SelectorRoom {
  /** Whose labels they are compared with. */
  readonly pods: readonly Pod[];
  readonly comparisons: number;
}

const NO_WORDS: Vocabulary = { selectors: new Map(), blocks: new Map(), ports: new Set() };

/** Which policies apply to which endpoint. */
export interface Selection<Key = unknown> {
  /** By endpoint; an endpoint that no policy selects is absent. Endpoints to which the same applies have the same object. */
  readonly policies: ReadonlyMap<Key, EndpointPolicy>;
  /** Every policy that is in force, by name. */
  readonly inForce: ReadonlyMap<string, EndpointPolicy>;
  /** The objects they consist of. */
  readonly sources: readonly CompiledPolicy[];
  /** What gives addresses words, besides pods. */
  readonly labelled: Labelled;
  /** Empty where there is no room for their selectors. */
  readonly vocabulary: Vocabulary;
  /** Whether comparing their selectors with the labels of peers would cost more than there is room for. */
  readonly isOverRoom: boolean;
  readonly problems: readonly Problem[];
  /** How many of the sources are too large and therefore allow nothing. */
  readonly closed: number;
}

/** Finds what applies to endpoints. What did not change since the last time is the very same object. */
export class PolicySelector {
  readonly #objects = new PolicyObjectCompiler();
  readonly #closed = new Memo<CompiledPolicy, CompiledPolicy>();
  readonly #selected = new Memo<Subject, readonly CompiledPolicy[]>();
  readonly #index = new Latest<SelectorIndex<CompiledPolicy>>();
  readonly #serials = new WeakMap<CompiledPolicy, number>();
  #serial = 0;
  /** Of this time and the last, by what they are made of and by name. */
  #known = new Map<string, EndpointPolicy>();
  #before: ReadonlyMap<string, EndpointPolicy> = new Map();
  #policies: readonly CompiledPolicy[] = [];
  #vocabulary: Vocabulary | undefined;
  readonly #peers = new PeerCounts();

  /** All at once. */
  select<Key>(subjects: Subjects<Key>): Selection<Key> {
    return finish(this.selecting(subjects));
  }

  /** The same in parts. Peers that only policies of other endpoints name are not distinguished. */
  *selecting<Key>(
    { subjects, salt, ...objects }: Subjects<Key>,
    excess: readonly Excess[] = [],
    room?: SelectorRoom,
  ): Steps<Selection<Key>> {
    const compiled = yield* this.#objects.compiling(objects);
    const selected = yield* this.#select(subjects, compiled);
    const sources = new Set([...selected.values()].flat());
    if (room) this.#peers.update(room.pods, compiled.sets);
    const standing = yield* this.#closing(sources, excess, compiled);
    // The results of a first attempt are remembered although they are not the final ones.
    if (excess.length === 0) [this.#before, this.#known] = [this.#known, new Map()];
    const policies = new Map<Key, EndpointPolicy>();
    const inForce = new Map<string, EndpointPolicy>();
    for (const [key, subject] of subjects) {
      const selecting = selected.get(key) ?? [];
      if (selecting.length === 0 && subject.afterwards.verdict === "allow") continue;
      const made = this.#combined(selecting.map(standing), subject, compiled, salt);
      inForce.set(made.name.name, made);
      policies.set(key, made);
      yield;
    }
    const inSources = [...sources].map(standing);
    const ownEnds = [...inForce.values()].flatMap(({ byOwnEnd }) => byOwnEnd?.words ?? []);
    const labelled = { ...compiled, ownEnds };
    const fits = (selectors: Iterable<WorkloadSelector>) =>
      room === undefined || this.#fit(selectors, room.comparisons);
    const vocabulary = yield* vocabularyOf(inSources, labelled, this.#vocabulary, fits);
    this.#vocabulary = vocabulary ?? this.#vocabulary;
    return {
      policies,
      inForce,
      sources: inSources,
      labelled,
      vocabulary: vocabulary ?? NO_WORDS,
      isOverRoom: vocabulary === undefined,
      problems: [...compiled.policies.map(standing).flatMap(({ problems }) => problems), ...compiled.problems],
      closed: inSources.filter((policy) => policy.closed).length,
    };
  }

  /** The policies that select each subject and are asked, each tier's in their order. */
  *#select<Key>(
    subjects: ReadonlyMap<Key, Subject>,
    { policies }: CompiledObjects,
  ): Steps<ReadonlyMap<Key, readonly CompiledPolicy[]>> {
    if (!sameObjects(this.#policies, policies)) this.#policies = policies;
    const index = this.#index.get([this.#policies], () => new SelectorIndex(policies, ({ subject }) => subject));
    const found = new Map<Key, readonly CompiledPolicy[]>();
    for (const [key, subject] of subjects) {
      const select = () =>
        index
          .of(subject.who)
          .filter((policy) => subject.asks(policy))
          .sort(beforeInTier);
      found.set(key, this.#selected.get(subject, [index], select));
      yield;
    }
    return found;
  }

  #fit(selectors: Iterable<WorkloadSelector>, room: number): boolean {
    let sum = 0;
    for (const selector of selectors) sum += this.#peers.comparisons(selector);
    return sum <= room;
  }

  /** The replacement of each policy while some are closed. */
  *#closing(
    sources: ReadonlySet<CompiledPolicy>,
    excess: readonly Excess[],
    compiled: CompiledObjects,
  ): Steps<(policy: CompiledPolicy) => CompiledPolicy> {
    const substitutes = new Map<CompiledPolicy, CompiledPolicy>();
    for (const { of, count, why, next } of excess) {
      const order = yield* closingOrder([...sources], of, compiled, this.#peers);
      for (const policy of order.slice(0, count)) {
        if (substitutes.has(policy)) continue;
        substitutes.set(
          policy,
          this.#closed.get(policy, [why], () => closed(policy, why, next)),
        );
      }
    }
    return (policy) => substitutes.get(policy) ?? policy;
  }

  /** For a hundred pods under the same policies it is made once, and its text, which may be long, is compared once. */
  #combined(
    policies: readonly CompiledPolicy[],
    subject: Subject,
    { tiers, sets }: CompiledObjects,
    salt: string | undefined,
  ): EndpointPolicy {
    const serials = policies.map((policy) => this.#serialOf(policy)).join();
    if (isByOwnEnd(subject, policies)) {
      const text = ownEndsText(policies, subject, tiers);
      return this.#made(`${serials} ${text}`, () => combineByOwnEnd(policies, subject, tiers, text, salt));
    }
    const setsAt = (address: string) => this.#objects.networkSets.at(sets, address);
    const here = policies.map((policy) => atOwnSide(policy, { ...subject, setsAt }));
    const own = `${subjectText(policies, subject, tiers)} ${here.map(({ text }) => text).join()}`;
    const resolved = here.map(({ policy }) => policy);
    return this.#made(`${serials} ${own}`, () => combine(resolved, subject, tiers, own, salt));
  }

  #made(id: string, make: () => EndpointPolicy): EndpointPolicy {
    return this.#remembered(id, () => {
      const made = make();
      // The same content may come in other objects.
      return this.#remembered(made.name.name, () => made);
    });
  }

  #remembered(id: string, make: () => EndpointPolicy): EndpointPolicy {
    const policy = this.#known.get(id) ?? this.#before.get(id) ?? make();
    this.#known.set(id, policy);
    return policy;
  }

  #serialOf(policy: CompiledPolicy): number {
    const serial = this.#serials.get(policy) ?? ++this.#serial;
    this.#serials.set(policy, serial);
    return serial;
  }
}
