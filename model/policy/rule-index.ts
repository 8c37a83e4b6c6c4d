import type { Peer } from "./judge.ts";
import type { PeerMatch, Rule } from "./rules.ts";

/** Leads from what a peer matches to the rules that name it, however many others there are. */
export class RuleIndex {
  /** For each rule: the first rule with the same effect on every peer it names. Of two such rules the second decides nothing. */
  readonly #like: readonly number[];
  readonly #anybody: number[] = [];
  /** Rules by one word that the peers they name must match. */
  readonly #selectors = new Map<string, Condition[]>();
  readonly #cidrs = new Map<string, Condition[]>();
  /** Rules that only exclude peers. */
  readonly #negative: Condition[] = [];

  constructor(rules: readonly Rule[]) {
    const firsts = new Map<string, number>();
    this.#like = rules.map(({ peers, ...said }, place) => {
      if (!peers) this.#anybody.push(place);
      for (const match of peers ?? []) this.#add(match, place);
      const text = meaning(said);
      if (!firsts.has(text)) firsts.set(text, place);
      return firsts.get(text) as number;
    });
  }

  /** The rules that name the peer, in order, and a text that is the same for peers with the same ones. */
  rulesFor(peer: Peer): { places: readonly number[]; text: string } {
    const named = new Set<number>();
    const meet = ({ place, match }: Condition) => {
      if (holds(match, peer)) named.add(place);
    };
    for (const selector of peer.selectors) this.#selectors.get(selector)?.forEach(meet);
    for (const cidr of peer.cidrs) this.#cidrs.get(cidr)?.forEach(meet);
    this.#negative.forEach(meet);
    if (named.size === 0) return { places: this.#anybody, text: "anybody" };
    const places = this.#withoutLike([...named, ...this.#anybody]);
    return { places, text: places.map((place) => this.#like[place]).join() };
  }

  #add(match: PeerMatch, place: number): void {
    const condition = conditionOf(match, place);
    const [selector] = match.selectors ?? [];
    if (selector !== undefined) add(this.#selectors, selector, condition);
    else if (match.cidrs) for (const cidr of match.cidrs) add(this.#cidrs, cidr, condition);
    else this.#negative.push(condition);
  }

  #withoutLike(places: number[]): number[] {
    const seen = new Set<number>();
    return places
      .sort((a, b) => a - b)
      .filter((place) => {
        const alike = this.#like[place] as number;
        return seen.size !== seen.add(alike).size;
      });
  }
}

interface Condition {
  readonly place: number;
  readonly match: {
    readonly selectors: readonly string[];
    readonly notSelectors: readonly string[];
    readonly cidrs: ReadonlySet<string> | undefined;
    readonly except: ReadonlySet<string>;
  };
}

function conditionOf({ selectors = [], notSelectors = [], cidrs, except = [] }: PeerMatch, place: number): Condition {
  return { place, match: { selectors, notSelectors, cidrs: cidrs && new Set(cidrs), except: new Set(except) } };
}

function holds({ selectors, notSelectors, cidrs, except }: Condition["match"], peer: Peer): boolean {
  return (
    selectors.every((text) => peer.selectors.has(text)) &&
    !notSelectors.some((text) => peer.selectors.has(text)) &&
    (!cidrs || isAmong(peer.cidrs, cidrs)) &&
    (except.size === 0 || !isAmong(peer.cidrs, except))
  );
}

// A peer is in few blocks, a rule may name thousands.
function isAmong(few: ReadonlySet<string>, many: ReadonlySet<string>): boolean {
  for (const one of few) if (many.has(one)) return true;
  return false;
}

/** The effect of a rule, apart from the peers that it names: reasons count if it refuses. */
function meaning({ reason, ...said }: Omit<Rule, "peers">): string {
  return JSON.stringify(said.verdict === "deny" ? [said, reason] : [said]);
}

function add<V>(lists: Map<string, V[]>, key: string, value: V): void {
  const list = lists.get(key);
  if (list) list.push(value);
  else lists.set(key, [value]);
}
