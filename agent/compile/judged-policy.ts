import { Latest, Memo, same } from "../../model/memo.ts";
import type { Identity } from "../../model/policy/identity.ts";
import { ANYBODY, Judge } from "../../model/policy/judge.ts";
import type { Judgement } from "../../model/policy/judgement.ts";
import type { Tier } from "../../model/policy/rules.ts";
import type { EndpointPolicy } from "../../model/policy/selection.ts";
import { each, type Steps } from "../../model/steps.ts";
import { Direction, POLICY_ANY_IDENTITY, type PolicyKey, type PolicyValue } from "../kernel/layout.gen.ts";
import type { Entry } from "./desired.ts";
import { dropped, lines, type PolicyLine, type PolicyNumbers, tables, under } from "./encode.ts";
import { RuleNames, reasonsOf } from "./rule-names.ts";
import { TableNumbers } from "./table-numbers.ts";

type PolicyEntries = readonly Entry<PolicyKey, PolicyValue>[];

interface JudgedDirection {
  readonly direction: number;
  readonly judge: Judge;
  readonly anybody: Judgement;
  /** Peers that the same rules name have the same judgement, and so the same lines. */
  readonly lines: Memo<Judgement, readonly PolicyLine[]>;
  /** Of those lines the ones that depend on source ports. */
  readonly bySource: PolicyLine[];
}

/** One policy's verdicts, each identity judged once in its life. */
export class JudgedPolicy {
  readonly #policy: EndpointPolicy;
  #directions: readonly JudgedDirection[] | undefined;
  readonly #anybody = new Latest<PolicyEntries>();
  readonly #tables = new Latest<PolicyEntries>();
  readonly #entries = new Memo<Identity, PolicyEntries>();
  #distinguished: ReadonlySet<number> = new Set();
  readonly #words: ReadonlySet<string>;
  readonly #rules: RuleNames;
  readonly #numbers: PolicyNumbers;
  #logs = false;
  #last: { id: number; identities: ReadonlyMap<Identity, number>; entries: PolicyEntries } | undefined;

  /** @param salt of the numbers of its reasons (rule-names.ts) */
  constructor(policy: EndpointPolicy, salt?: string) {
    this.#policy = policy;
    this.#words = wordsOf(policy);
    this.#rules = new RuleNames(salt);
    const known = new TableNumbers(policy.name);
    this.#numbers = { salt, table: (text) => known.of(text) };
  }

  /** The reasons of its denials, by their numbers. */
  get rules(): ReadonlyMap<number, string> {
    return this.#rules.names;
  }

  /** Whether what its entries are about is logged. */
  get logs(): boolean {
    return this.#logs;
  }

  /** Why it refuses what no entry is about, by direction. */
  get defaults(): readonly (readonly [number, string])[] {
    return (this.#directions ?? []).flatMap(({ direction, anybody }) => {
      const { reason } = anybody.others;
      return reason === undefined ? [] : [[direction, reason] as const];
    });
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
    const all = [...this.#anybody.get([id], () => directions.flatMap((one) => this.#forAnybody(one, id)))];
    let room = limit - all.length;
    let work = 0;
    const distinguished = new Set<number>();
    for (const [identity, number] of identities) {
      if (room < 0) return undefined;
      if (++work % 256 === 0) yield;
      const entries = this.#entries.get(identity, [id, number], () =>
        directions.flatMap((one) => this.#forIdentity(one, id, identity, number)),
      );
      yield* each(entries, (entry) => all.push(entry));
      if (entries.length > 0 || hasOneOf(identity, this.#words)) distinguished.add(number);
      room -= entries.length;
    }
    const bySource = this.#tables.get([id, ...directions.map((one) => one.bySource.length)], () =>
      directions.flatMap((one) => tables({ policy: id, direction: one.direction }, one.bySource, this.#numbers)),
    );
    all.push(...bySource);
    if (room < bySource.length) return undefined;
    // Mostly other identities came or went, so that nothing of the policy is compared or written again.
    const entries = last && same(last.entries, all) ? last.entries : all;
    this.#last = { id, identities, entries };
    this.#distinguished = distinguished;
    return entries;
  }

  #forAnybody(one: JudgedDirection, policy: number): PolicyEntries {
    const scope = { policy, identity: POLICY_ANY_IDENTITY, direction: one.direction };
    return under(scope, this.#lines(one, one.anybody), this.#numbers);
  }

  #forIdentity(one: JudgedDirection, policy: number, identity: Identity, number: number) {
    const scope = { policy, identity: number, direction: one.direction };
    return under(scope, this.#lines(one, one.judge.judge(identity)), this.#numbers);
  }

  #lines(one: JudgedDirection, judgement: Judgement): readonly PolicyLine[] {
    return one.lines.get(judgement, [], () => {
      this.#rules.add(reasonsOf(judgement));
      const written = lines(judgement, judgement === one.anybody ? dropped(judgement) : one.anybody);
      this.#logs ||= written.some(isLogged);
      one.bySource.push(...written.filter(isBySource));
      return written;
    });
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

function isBySource({ said }: PolicyLine): boolean {
  return said.sources !== undefined;
}

function isLogged({ said }: PolicyLine): boolean {
  return said.log === true || (said.sources?.some(({ log }) => log) ?? false);
}

function judged([direction, tiers]: [number, readonly Tier[]], { afterwards }: EndpointPolicy): JudgedDirection {
  const judge = new Judge(tiers, afterwards);
  return { direction, judge, anybody: judge.judge(ANYBODY), lines: new Memo(), bySource: [] };
}

function sameEntries<K, V>(a: ReadonlyMap<K, V>, b: ReadonlyMap<K, V>): boolean {
  if (a === b) return true;
  if (a.size !== b.size) return false;
  for (const [key, value] of a) if (b.get(key) !== value) return false;
  return true;
}
