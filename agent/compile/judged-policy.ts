import { hash32 } from "../../model/hash.ts";
import { Latest, Memo } from "../../model/memo.ts";
import type { EndpointPolicy } from "../../model/policy/endpoint-policy.ts";
import type { Identity } from "../../model/policy/identity.ts";
import { ANYBODY, Judge } from "../../model/policy/judge.ts";
import type { Judgement } from "../../model/policy/judgement.ts";
import type { Decision, Tier } from "../../model/policy/rules.ts";
import type { Steps } from "../../model/steps.ts";
import { Direction, POLICY_ANY_IDENTITY, type PolicyKey, type PolicyValue } from "../kernel/layout.gen.ts";
import type { Entry } from "./desired.ts";
import { dropped, lines, type PolicyLine, type PolicyNumbers, tables, under } from "./encode.ts";
import { changesOf, type IdentityNumbers, NOBODY, without } from "./identity-numbers.ts";
import { decisionsOf, RuleNames } from "./rule-names.ts";
import { TableNumbers } from "./table-numbers.ts";

type PolicyEntries = readonly Entry<PolicyKey, PolicyValue>[];

interface JudgedDirection {
  readonly direction: number;
  readonly judge: Judge;
  readonly anybody: Judgement;
  /** Peers that the same rules name have the same judgement, and so the same lines. */
  readonly lines: Memo<Judgement, JudgedLines>;
}

interface JudgedLines {
  readonly all: readonly PolicyLine[];
  /** Those that depend on source ports. */
  readonly bySource: readonly PolicyLine[];
  /** A number for the verdicts, whatever their reasons. */
  readonly verdicts: number;
}

const NO_LINES: JudgedLines = { all: [], bySource: [], verdicts: 0 };

/** What a policy concludes about identities that it tells from other addresses, as a number for all its verdicts, by the identity's number. */
export type Distinguished = ReadonlyMap<number, number>;

/** An identity that the policy does not treat like any other address, or that it names. */
interface Named {
  readonly number: number;
  readonly entries: PolicyEntries;
  /** By direction. */
  readonly lines: readonly JudgedLines[];
}

/** One policy's verdicts. An identity is judged when it comes, and costs nothing while it stays. */
export class JudgedPolicy {
  readonly #policy: EndpointPolicy;
  #directions: readonly JudgedDirection[] | undefined;
  readonly #anybody = new Latest<PolicyEntries>();
  /** What it was asked about last; undefined: it never was, or did not come to an end. */
  #met: IdentityNumbers | undefined;
  #id = 0;
  readonly #named = new Map<Identity, Named>();
  /** Entries of all those. */
  #count = 0;
  #distinguished: Distinguished = new Map();
  readonly #words: ReadonlySet<string>;
  readonly #rules: RuleNames;
  readonly #numbers: PolicyNumbers;
  #logs = false;
  #last: PolicyEntries | undefined;

  /** @param salt of the numbers of its reasons (rule-names.ts) */
  constructor(policy: EndpointPolicy, salt?: string) {
    this.#policy = policy;
    this.#words = wordsOf(policy);
    this.#rules = new RuleNames(salt);
    const known = new TableNumbers(policy.name);
    this.#numbers = { salt, table: (text) => known.of(text) };
  }

  /** The numbers of what its entries say. */
  get rules(): RuleNames {
    return this.#rules;
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
  get distinguished(): Distinguished {
    return this.#distinguished;
  }

  /** The policy's entries under the number `id`; undefined where there are more than `limit`. */
  *entries(id: number, identities: IdentityNumbers, limit: number): Steps<PolicyEntries | undefined> {
    this.#directions ??= directionsOf(this.#policy).map((direction) => judged(direction, this.#policy));
    const directions = this.#directions;
    const anybody = this.#anybody.get([id], () => directions.flatMap((one) => this.#forAnybody(one, id)));
    if (this.#id !== id || !this.#met) this.#forgetAll();
    const before = this.#met ?? NOBODY;
    [this.#id, this.#met] = [id, undefined];
    const { gone, come } = changesOf(before, identities);
    for (const [identity] of gone.named(this.#words)) this.#forget(identity);
    // What its rules do not say of somebody is what they say of anybody.
    const named = [...come.named(this.#words)];
    for (const [place, [identity, number]] of named.entries()) {
      if (anybody.length + this.#count > limit) {
        this.#met = without(identities, named.slice(place));
        return undefined;
      }
      if (place % 256 === 255) yield;
      this.#meet(directions, id, identity, number);
    }
    this.#met = identities;
    // Mostly other identities came or went, so that nothing of the policy is compared or written again.
    this.#last ??= this.#put(directions, id, anybody);
    return this.#last.length > limit ? undefined : this.#last;
  }

  /** All together, in an order that does not depend on who came first. */
  #put(directions: readonly JudgedDirection[], id: number, anybody: PolicyEntries): PolicyEntries {
    const named = [...this.#named.values()].sort((a, b) => a.number - b.number);
    this.#distinguished = new Map(named.map(({ number, lines }) => [number, verdictsOf(lines)]));
    const bySource = directions.map((one, at) => {
      const lines = new Set([this.#lines(one, one.anybody), ...named.map((each) => each.lines[at] ?? NO_LINES)]);
      const scope = { policy: id, direction: one.direction };
      return tables(
        scope,
        [...lines].flatMap((each) => each.bySource),
        this.#numbers,
      );
    });
    return [anybody, ...named.map(({ entries }) => entries), ...bySource].flat();
  }

  #meet(directions: readonly JudgedDirection[], id: number, identity: Identity, number: number): void {
    const lines = directions.map((one) => this.#linesFor(one, identity));
    const entries = directions.flatMap((one, at) => {
      const scope = { policy: id, identity: number, direction: one.direction };
      return under(scope, lines[at]?.all ?? [], this.#numbers);
    });
    if (entries.length === 0 && !hasOneOf(identity, this.#words)) return;
    this.#named.set(identity, { number, entries, lines });
    this.#count += entries.length;
    this.#last = undefined;
  }

  #forget(identity: Identity): void {
    const known = this.#named.get(identity);
    if (!known) return;
    this.#named.delete(identity);
    this.#count -= known.entries.length;
    this.#last = undefined;
  }

  #forgetAll(): void {
    this.#named.clear();
    [this.#count, this.#met, this.#last] = [0, undefined, undefined];
  }

  #forAnybody(one: JudgedDirection, policy: number): PolicyEntries {
    const scope = { policy, identity: POLICY_ANY_IDENTITY, direction: one.direction };
    return under(scope, this.#lines(one, one.anybody).all, this.#numbers);
  }

  #linesFor(one: JudgedDirection, identity: Identity): JudgedLines {
    const judgement = one.judge.judge(identity);
    return judgement === one.anybody ? NO_LINES : this.#lines(one, judgement); // what is written for anybody holds
  }

  #lines(one: JudgedDirection, judgement: Judgement): JudgedLines {
    return one.lines.get(judgement, [], () => {
      this.#rules.add(decisionsOf(judgement));
      const written = lines(judgement, judgement === one.anybody ? dropped(judgement) : one.anybody);
      this.#logs ||= written.some(isLogged);
      const verdicts = hash32(written.map(verdictText).join());
      return { all: written, bySource: written.filter(isBySource), verdicts };
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

/** In every direction. */
function verdictsOf(lines: readonly JudgedLines[]): number {
  return lines.reduce((sum, { verdicts }) => (Math.imul(sum, 31) + verdicts) >>> 0, 0);
}

function verdictText({ prefixLength, protocol, port, said: { sources, ...own } }: PolicyLine): string {
  const text = ({ verdict, undecided }: Decision) => (undecided ? "next" : verdict);
  const bySource = sources?.map((range) => `${range.first} ${text(range)}`) ?? [];
  return [`${prefixLength} ${protocol} ${port} ${text(own)}`, ...bySource].join("; ");
}

function isBySource({ said }: PolicyLine): boolean {
  return said.sources !== undefined;
}

function isLogged({ said }: PolicyLine): boolean {
  return said.log !== undefined || (said.sources?.some(({ log }) => log !== undefined) ?? false);
}

function judged([direction, tiers]: [number, readonly Tier[]], { afterwards }: EndpointPolicy): JudgedDirection {
  const judge = new Judge(tiers, afterwards);
  return { direction, judge, anybody: judge.judge(ANYBODY), lines: new Memo() };
}
