import { Latest, Memo, sameObjects } from "../memo.ts";
import type { Problem } from "../problem.ts";
import { finish, type Steps } from "../steps.ts";
import { combine, combineByOwnEnd, isByOwnEnd, ownEndsText, subjectText } from "./combine.ts";
import { beforeInTier, type CompiledPolicy } from "./compiled-policy.ts";
import type { EndpointPolicy } from "./endpoint-policy.ts";
import { closed, closingOrder } from "./limits.ts";
import { atOwnSide } from "./own-side.ts";
import { type CompiledObjects, PolicyObjectCompiler, type PolicyObjects } from "./policy-objects.ts";
import { SelectorIndex } from "./selector-index.ts";
import type { Subject } from "./subject.ts";
import { type Labelled, type Vocabulary, vocabularyOf } from "./vocabulary.ts";

/** The endpoints that policies may select. */
export interface Subjects<Key> extends PolicyObjects {
  readonly subjects: ReadonlyMap<Key, Subject>;
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
export interface Selection<Key = unknown> {
  /** By endpoint; an endpoint that no policy selects is absent. Endpoints to which the same applies have the same object. */
  readonly policies: ReadonlyMap<Key, EndpointPolicy>;
  /** Every policy that is in force, by name. */
  readonly inForce: ReadonlyMap<string, EndpointPolicy>;
  /** The objects they consist of. */
  readonly sources: readonly CompiledPolicy[];
  /** What gives addresses words, besides pods. */
  readonly labelled: Labelled;
  readonly vocabulary: Vocabulary;
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

  /** All at once. */
  select<Key>(subjects: Subjects<Key>): Selection<Key> {
    return finish(this.selecting(subjects));
  }

  /** The same in parts. Peers that only policies of other endpoints name are not distinguished. */
  *selecting<Key>({ subjects, salt, ...objects }: Subjects<Key>, excess = NO_EXCESS): Steps<Selection<Key>> {
    const compiled = yield* this.#objects.compiling(objects);
    const selected = yield* this.#select(subjects, compiled);
    const sources = new Set([...selected.values()].flat());
    const standing = this.#closing(sources, excess);
    // The results of a first attempt are remembered although they are not the final ones.
    if (excess.count === 0) [this.#before, this.#known] = [this.#known, new Map()];
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
    this.#vocabulary = yield* vocabularyOf(inSources, labelled, this.#vocabulary);
    return {
      policies,
      inForce,
      sources: inSources,
      labelled,
      vocabulary: this.#vocabulary,
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

  /** The replacement of each policy while some are closed. */
  #closing(sources: ReadonlySet<CompiledPolicy>, { count, why }: Excess): (policy: CompiledPolicy) => CompiledPolicy {
    if (count === 0) return (policy) => policy;
    const substitutes = new Map(
      closingOrder([...sources])
        .slice(0, count)
        .map((policy) => [policy, this.#closed.get(policy, [why], () => closed(policy, why))]),
    );
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
