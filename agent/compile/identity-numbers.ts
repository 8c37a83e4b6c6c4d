import { Memo } from "../../model/memo.ts";
import type { Identity } from "../../model/policy/identity.ts";

/** The identities in use with their numbers. One version is one object, which never changes. */
export type IdentityNumbers = ReadonlyMap<Identity, number>;

/** Whom policies may meet. */
export interface Ends {
  readonly identities: IdentityNumbers;
  /** Those of this node's own addresses. */
  readonly ofNode: ReadonlySet<Identity>;
}

export const NOBODY: IdentityNumbers = new Map();

type Numbered = readonly [Identity, number];

/** Identities that came or went, found by what a policy says of its peers. */
class Some {
  readonly all: readonly Numbered[];
  #byWord: Map<string, Numbered[]> | undefined;

  constructor(all: readonly Numbered[]) {
    this.all = all;
  }

  /** Those that match one of the words, or have ports with names. Others are to a policy of these words like anybody. */
  named(words: ReadonlySet<string>): Iterable<Numbered> {
    this.#byWord ??= indexed(this.all);
    const found = new Set(this.#byWord.get(WITH_PORTS));
    const [few, many] = words.size < this.#byWord.size ? [words, this.#byWord] : [this.#byWord.keys(), words];
    for (const word of few) {
      if (many.has(word)) for (const one of this.#byWord.get(word) ?? []) found.add(one);
    }
    return found;
  }
}

/** No word: words are selectors and blocks. */
const WITH_PORTS = "";

function indexed(all: readonly Numbered[]): Map<string, Numbered[]> {
  const index = new Map<string, Numbered[]>();
  const add = (word: string, one: Numbered) => {
    const known = index.get(word);
    if (known) known.push(one);
    else index.set(word, [one]);
  };
  for (const one of all) {
    const [{ selectors, cidrs, ports }] = one;
    for (const word of selectors) add(word, one);
    for (const word of cidrs) add(word, one);
    if (ports.size > 0) add(WITH_PORTS, one);
  }
  return index;
}

export interface NumberChanges {
  readonly gone: Some;
  readonly come: Some;
}

const known = new Memo<IdentityNumbers, NumberChanges>();

/** The difference between two versions, worked out once for all policies. An identity with another number went and came. */
export function changesOf(before: IdentityNumbers, after: IdentityNumbers): NumberChanges {
  return known.get(before, [after], () => ({ gone: missing(before, after), come: missing(after, before) }));
}

/** What is in `some` and not the same in `others`. */
function missing(some: IdentityNumbers, others: IdentityNumbers): Some {
  return new Some([...some].filter(([identity, number]) => others.get(identity) !== number));
}

/** The identities but some. */
export function without(identities: IdentityNumbers, some: readonly Numbered[]): IdentityNumbers {
  const others = new Map(identities);
  for (const [identity] of some) others.delete(identity);
  return others;
}
