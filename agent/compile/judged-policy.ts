import { Latest, Memo, same } from "../../model/memo.ts";
import type { Identity } from "../../model/policy/identity.ts";
import { ANYBODY, Judge } from "../../model/policy/judge.ts";
import type { Judgement } from "../../model/policy/judgement.ts";
import type { Tier } from "../../model/policy/rules.ts";
import type { EndpointPolicy } from "../../model/policy/selection.ts";
import { each, type Steps } from "../../model/steps.ts";
import { Direction, POLICY_ANY_IDENTITY, type PolicyKey, type PolicyValue } from "../kernel/layout.gen.ts";
import type { Entry } from "./desired.ts";
import { DROPPED, lines, type PolicyLine, under } from "./encode.ts";

type PolicyEntries = readonly Entry<PolicyKey, PolicyValue>[];

interface JudgedDirection {
  readonly direction: number;
  readonly judge: Judge;
  readonly anybody: Judgement;
  /** Peers that the same rules name have the same judgement, and so the same lines. */
  readonly lines: Memo<Judgement, readonly PolicyLine[]>;
}

/** One policy's verdicts, each identity judged once in its life. */
export class JudgedPolicy {
  readonly #policy: EndpointPolicy;
  #directions: readonly JudgedDirection[] | undefined;
  readonly #anybody = new Latest<PolicyEntries>();
  readonly #entries = new Memo<Identity, PolicyEntries>();
  #distinguished: ReadonlySet<number> = new Set();
  readonly #words: ReadonlySet<string>;
  #last: { id: number; identities: ReadonlyMap<Identity, number>; entries: PolicyEntries } | undefined;

  constructor(policy: EndpointPolicy) {
    this.#policy = policy;
    this.#words = wordsOf(policy);
  }

  /** Of the identities of the last entries(): those that are not treated like any other address. One that the policy names in any way
   * counts even if it is: its location may hide that of a wider block around it, which is not. */
  get distinguished(): ReadonlySet<number> {
    return this.#distinguished;
  }

  /** The policy's entries under the number `id`; undefined where there are more than `limit`. */
  *entries(id: number, identities: ReadonlyMap<Identity, number>, limit: number): Steps<PolicyEntries | undefined> {
    const last = this.#last;
    if (last?.id === id && sameEntries(last.identities, identities)) {
      return last.entries.length > limit ? undefined : last.entries;
    }
    this.#directions ??= directionsOf(this.#policy).map((direction) => judged(direction, this.#policy));
    const directions = this.#directions;
    const all = [...this.#anybody.get([id], () => directions.flatMap((one) => forAnybody(one, id)))];
    let room = limit - all.length;
    let work = 0;
    const distinguished = new Set<number>();
    for (const [identity, number] of identities) {
      if (room < 0) return undefined;
      if (++work % 256 === 0) yield;
      const entries = this.#entries.get(identity, [id, number], () =>
        directions.flatMap((one) => forIdentity(one, id, identity, number)),
      );
      yield* each(entries, (entry) => all.push(entry));
      if (entries.length > 0 || hasOneOf(identity, this.#words)) distinguished.add(number);
      room -= entries.length;
    }
    if (room < 0) return undefined;
    // Mostly other identities came or went, so that nothing of the policy is compared or written again.
    const entries = last && same(last.entries, all) ? last.entries : all;
    this.#last = { id, identities, entries };
    this.#distinguished = distinguished;
    return entries;
  }
}

/** All that its rules say of peers: blocks and selectors. */
function wordsOf({ ingress = [], egress = [] }: EndpointPolicy): ReadonlySet<string> {
  const rules = [...ingress, ...egress].flatMap((tier) => tier.rules);
  const peers = rules.flatMap((rule) => rule.peers ?? []);
  return new Set(
    peers.flatMap(({ selectors = [], notSelectors = [], cidrs = [], except = [] }) => [
      ...[...selectors, ...notSelectors],
      ...[...cidrs, ...except],
    ]),
  );
}

/** An identity matches few words, a policy may have thousands. */
function hasOneOf({ selectors, cidrs }: Identity, ofPolicy: ReadonlySet<string>): boolean {
  for (const selector of selectors) if (ofPolicy.has(selector)) return true;
  for (const cidr of cidrs) if (ofPolicy.has(cidr)) return true;
  return false;
}

function directionsOf({ ingress, egress }: EndpointPolicy): [number, readonly Tier[]][] {
  return [
    ...(ingress ? [[Direction.INGRESS, ingress] satisfies [number, readonly Tier[]]] : []),
    ...(egress ? [[Direction.EGRESS, egress] satisfies [number, readonly Tier[]]] : []),
  ];
}

function judged([direction, tiers]: [number, readonly Tier[]], { afterwards }: EndpointPolicy): JudgedDirection {
  const judge = new Judge(tiers, afterwards);
  return { direction, judge, anybody: judge.judge(ANYBODY), lines: new Memo() };
}

function forAnybody({ direction, anybody }: JudgedDirection, policy: number): PolicyEntries {
  return under({ policy, identity: POLICY_ANY_IDENTITY, direction }, lines(anybody, DROPPED));
}

function forIdentity(one: JudgedDirection, policy: number, identity: Identity, number: number) {
  const { direction, judge, anybody } = one;
  const judgement = judge.judge(identity);
  const written = one.lines.get(judgement, [], () => lines(judgement, anybody));
  return under({ policy, identity: number, direction }, written);
}

function sameEntries<K, V>(a: ReadonlyMap<K, V>, b: ReadonlyMap<K, V>): boolean {
  if (a === b) return true;
  if (a.size !== b.size) return false;
  for (const [key, value] of a) if (b.get(key) !== value) return false;
  return true;
}
