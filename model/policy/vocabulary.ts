import { type Cidr, hostCidr, parseCidr } from "../address/address.ts";
import { CidrIndex } from "../address/cidr-index.ts";
import { Memo, sameObjects } from "../memo.ts";
import { each, finish, type Steps } from "../steps.ts";
import type { CompiledPolicy } from "./compiled-policy.ts";
import { portNames } from "./named-ports.ts";
import type { LabelledBlocks } from "./network-sets.ts";
import { EVERY } from "./own-side.ts";
import { SelectorIndex } from "./selector-index.ts";
import { type ServiceGroup, serviceSource } from "./service-words.ts";
import type { WorkloadSelector } from "./workload-selector.ts";

/** All by which the policies in force here can distinguish peers. */
export interface Vocabulary {
  readonly selectors: ReadonlyMap<string, WorkloadSelector>;
  /** By the text of the block. */
  readonly blocks: ReadonlyMap<string, Block>;
  /** Names of peers' ports that rules use, by `portName`. */
  readonly ports: ReadonlySet<string>;
}

/** Addresses that policies distinguish from others. */
export interface Block {
  readonly cidr: Cidr;
  /** Whether a rule names this very block. */
  readonly isNamed: boolean;
  /** Selectors of network sets, and words of Services, that mean its addresses; sorted. */
  readonly words: readonly string[];
}

/** The words by which ends on the policies' own side are distinguished. */
export interface EndWords {
  readonly selectors: readonly WorkloadSelector[];
  readonly cidrs: ReadonlyMap<string, Cidr>;
  /** By `portName`. */
  readonly ports: readonly string[];
}

/** What gives addresses words, besides the pods that have them. */
export interface Labelled {
  readonly sets: readonly LabelledBlocks[];
  /** By the Service's name, "shop/web". */
  readonly services: (name: string) => readonly ServiceGroup[];
  /** The words by which host endpoints' rules distinguish the ends on their own side. */
  readonly ownEnds?: readonly EndWords[];
}

const NOTHING_LABELLED: Labelled = { sets: [], services: () => [] };

export function vocabulary(policies: readonly CompiledPolicy[], labelled = NOTHING_LABELLED): Vocabulary {
  return finish(vocabularyOf(policies, labelled, undefined));
}

/** The same in parts. The very object `before`, or its parts, where it says the same. */
export function vocabularyOf(
  policies: readonly CompiledPolicy[],
  labelled: Labelled,
  before: Vocabulary | undefined,
): Steps<Vocabulary>;
/** @param fits whether there is room for the selectors; undefined where there is none */
export function vocabularyOf(
  policies: readonly CompiledPolicy[],
  labelled: Labelled,
  before: Vocabulary | undefined,
  fits: (selectors: Iterable<WorkloadSelector>) => boolean,
): Steps<Vocabulary | undefined>;
export function* vocabularyOf(
  policies: readonly CompiledPolicy[],
  labelled: Labelled,
  before: Vocabulary | undefined,
  fits?: (selectors: Iterable<WorkloadSelector>) => boolean,
): Steps<Vocabulary | undefined> {
  const selectors = new Map<string, WorkloadSelector>();
  const named = new Map<string, Cidr>();
  const ports = new Set<string>();
  const services = new Set<string>();
  for (const policy of policies) {
    for (const selector of policy.selectors) selectors.set(selector.text, selector);
    const own = wordsOf.get(policy, [], () => words(policy));
    if (own.cidrs.size > 0) yield* each(own.cidrs, ([text, cidr]) => named.set(text, cidr));
    for (const port of own.ports) ports.add(port);
    for (const service of policy.services) services.add(service);
  }
  for (const own of labelled.ownEnds ?? []) {
    for (const selector of own.selectors) selectors.set(selector.text, selector);
    yield* each(own.cidrs, ([text, cidr]) => named.set(text, cidr));
    for (const port of own.ports) ports.add(port);
  }
  // Before any of them is compared with anything.
  if (fits && !fits(selectors.values())) return undefined;
  const blocks = yield* blocksOf(named, selectors, services, labelled);
  if (!before) return { selectors, blocks, ports };
  const next: Vocabulary = {
    selectors: sameKeys(before.selectors, selectors) ? before.selectors : selectors,
    blocks: sameBlocks(before.blocks, blocks) ? before.blocks : blocks,
    ports: sameKeys(before.ports, ports) ? before.ports : ports,
  };
  return sameObjects(Object.values(before), Object.values(next)) ? before : next;
}

function* blocksOf(
  named: ReadonlyMap<string, Cidr>,
  selectors: ReadonlyMap<string, WorkloadSelector>,
  services: ReadonlySet<string>,
  { sets, services: groupsOf }: Labelled,
): Steps<ReadonlyMap<string, Block>> {
  const said = new Map<string, { cidr: Cidr; words: Set<string> }>();
  const say = (cidr: Cidr, texts: readonly string[]) => {
    const known = said.get(cidr.text);
    if (!known) said.set(cidr.text, { cidr, words: new Set(texts) });
    else for (const text of texts) known.words.add(text);
  };
  if (sets.length > 0) {
    const index = new SelectorIndex(selectors.values(), (selector) => selector);
    yield* each(
      sets,
      ({ who, cidrs }) => {
        const texts = index.of(who).map(({ text }) => text);
        if (texts.length > 0) for (const cidr of cidrs) say(cidr, texts);
      },
      16,
    );
  }
  for (const name of services) {
    for (const { text, addresses } of groupsOf(name)) {
      yield* each(addresses, (address) => say(hostCidr(address), [text, serviceSource(name)]));
    }
  }
  const blocks = new Map<string, Block>();
  yield* each(named, ([text, cidr]) => blocks.set(text, { cidr, isNamed: true, words: [] }));
  yield* each(said, ([text, { cidr, words }]) => {
    blocks.set(text, { cidr, isNamed: named.has(text), words: [...words].sort() });
  });
  return blocks;
}

/** The words of one policy. */
const wordsOf = new Memo<CompiledPolicy, { cidrs: ReadonlyMap<string, Cidr>; ports: ReadonlySet<string> }>();

function words({ ingress = [], egress = [] }: CompiledPolicy) {
  const texts = new Set<string>();
  for (const { peers = [], here } of [...ingress, ...egress]) {
    for (const { cidrs = [], except = [] } of peers) for (const text of [...cidrs, ...except]) texts.add(text);
    // The rule may hold for addresses of one family.
    if (here) for (const text of Object.values(EVERY)) texts.add(text);
  }
  const ports = new Set([
    ...ingress.flatMap(({ sourcePorts, notSourcePorts }) => [...portNames(sourcePorts), ...portNames(notSourcePorts)]),
    ...egress.flatMap(({ ports, notPorts }) => [...portNames(ports), ...portNames(notPorts)]),
  ]);
  return { cidrs: new Map([...texts].map((text) => [text, parseCidr(text)])), ports };
}

interface Keyed {
  readonly size: number;
  has(key: string): boolean;
  keys(): Iterable<string>;
}

function sameKeys(a: Keyed, b: Keyed): boolean {
  if (a.size !== b.size) return false;
  for (const key of b.keys()) if (!a.has(key)) return false;
  return true;
}

function sameBlocks(a: ReadonlyMap<string, Block>, b: ReadonlyMap<string, Block>): boolean {
  if (a.size !== b.size) return false;
  for (const [text, block] of b) if (!isSameBlock(a.get(text), block)) return false;
  return true;
}

function isSameBlock(a: Block | undefined, b: Block): boolean {
  if (!a || a.isNamed !== b.isNamed) return false;
  return a === b || sameObjects(a.words, b.words);
}

/** The blocks about which two vocabularies differ, or which only one of them has; undefined: none. */
export function changedBlocks(a: Vocabulary["blocks"], b: Vocabulary["blocks"]): CidrIndex<Block> | undefined {
  if (a === b) return undefined;
  const index = new CidrIndex<Block>();
  for (const [text, block] of a) if (!b.has(text)) index.set(block.cidr, block);
  for (const [text, block] of b) if (!isSameBlock(a.get(text), block)) index.set(block.cidr, block);
  return index;
}
