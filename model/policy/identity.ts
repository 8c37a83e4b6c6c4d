import type { Cidr } from "../address/address.ts";
import { CidrIndex } from "../address/cidr-index.ts";
import { Latest } from "../memo.ts";
import { type Named, namedByContent } from "../named.ts";
import type { Pod } from "../objects/core.ts";
import { portProtocol } from "../protocol.ts";
import type { HostPeer } from "./hosts.ts";
import { type Peer, portName } from "./judge.ts";
import { type Meant, SelectorWords } from "./selector-words.ts";
import type { Block, Vocabulary } from "./vocabulary.ts";
import type { Who } from "./workload-selector.ts";

/** Two peers with the same matches share an identity, so there are as few as possible; a peer without matches has none. */
export interface Identity extends Peer {
  readonly name: Named;
}

/** Identities by their content, for all tables that share them. An identity with the same content is the same object in each table, so a
 * judgement about it for one table is valid for the others. */
class KnownIdentities {
  readonly #known = new Map<string, Identity>();
  /** By who uses them. */
  readonly #used = new Map<object, ReadonlySet<Identity>>();

  get size(): number {
    return this.#known.size;
  }

  same(text: string, make: () => Identity): Identity {
    let identity = this.#known.get(text);
    if (!identity) {
      identity = make();
      this.#known.set(text, identity);
    }
    return identity;
  }

  /** Forgets identities that no user needs any more, in the largest group. @param used by `user` from now on */
  forgetUnused(user: object, used: ReadonlySet<Identity>): void {
    this.#used.set(user, used);
    const sets = [...this.#used.values()];
    if (this.#known.size <= 2 * sets.reduce((sum, { size }) => sum + size, 0) + ENOUGH) return;
    for (const [text, identity] of this.#known) {
      if (!sets.some((set) => set.has(identity))) this.#known.delete(text);
    }
  }
}

const ENOUGH = 1024;

/** What successive tables of one vocabulary have in common. */
export class IdentityMemory {
  readonly words = new SelectorWords();
  readonly blocks = new Latest<CidrIndex<Block>>();
  readonly identities: KnownIdentities;

  constructor(identities = new KnownIdentities()) {
    this.identities = identities;
  }

  forgetUnused(used: ReadonlySet<Identity>): void {
    this.identities.forgetUnused(this, used);
  }
}

/** Identities under one vocabulary, each content once. */
export class IdentityTable {
  readonly #blocks: CidrIndex<Block>;
  readonly #memory: IdentityMemory;
  readonly vocabulary: Vocabulary;
  readonly #salt: string | undefined;

  /** @param salt of the identities' numbers (ids.ts) @param memory of the tables before, which are not asked any more */
  constructor(vocabulary: Vocabulary, salt?: string, memory = new IdentityMemory()) {
    this.vocabulary = vocabulary;
    this.#salt = salt;
    this.#memory = memory;
    this.#blocks = memory.blocks.get([vocabulary.blocks], () => indexed(vocabulary.blocks.values()));
    memory.words.update(vocabulary.selectors);
  }

  /** What the identities of blocks depend on. */
  get ofBlocks(): object {
    return this.#blocks;
  }

  /** A peer with the selectors that match it now. */
  meant(who: Who): Meant {
    return this.#memory.words.meant(who);
  }

  /** Whether the same selectors still match the peer. Every table whose peers are to be remembered calls it. */
  isStill(meant: Meant, words: Meant["words"]): boolean {
    return this.#memory.words.areStill(meant, words);
  }

  /** The identity of an address block that is no pod's; undefined if no policy distinguishes it. @param whose host endpoints that expect
   * the address; if two have a port with the same name, the first one counts */
  ofBlock(cidr: Cidr, whose: readonly HostPeer[] = []): Identity | undefined {
    const ports = new Map(whose.toReversed().flatMap((host) => this.#named(host.ports)));
    const words = whose.flatMap(({ who }) => this.#memory.words.of(who));
    return this.#intern(words, cidr, [...ports]);
  }

  /** The identity of a pod with this address. @param who the pod, as selectors see it */
  ofPod(pod: Pod, who: Who, cidr: Cidr): Identity | undefined {
    const ports = this.vocabulary.ports.size > 0 ? this.#named(containerPorts(pod)) : [];
    return this.#intern(this.#memory.words.of(who), cidr, ports);
  }

  /** The ports that rules name. */
  #named(ports: ReadonlyMap<string, number>): [string, number][] {
    return [...ports].filter(([name]) => this.vocabulary.ports.has(name));
  }

  #intern(
    selected: readonly string[],
    cidr: Cidr,
    ports: readonly (readonly [string, number])[],
  ): Identity | undefined {
    const covering = this.#blocks.covering(cidr);
    const cidrs = covering.flatMap(({ cidr, isNamed }) => (isNamed ? [cidr.text] : []));
    const selectors = [...new Set([...selected, ...covering.flatMap(({ words }) => words)])];
    if (selectors.length + cidrs.length + ports.length === 0) return undefined;
    const numbers = ports.map(([name, number]) => `port ${name}=${number}`);
    const content = namedByContent([...selectors, ...cidrs, ...numbers].sort().join("; "), this.#salt);
    return this.#memory.identities.same(content.name, () => ({
      name: content,
      selectors: new Set(selectors),
      cidrs: new Set(cidrs),
      ports: new Map(ports),
    }));
  }
}

function indexed(blocks: Iterable<Block>): CidrIndex<Block> {
  const index = new CidrIndex<Block>();
  for (const block of blocks) index.set(block.cidr, block);
  return index;
}

/** Numbers of a pod's named ports by `portName`; of two with one name the first counts. */
export function containerPorts(pod: Pod): ReadonlyMap<string, number> {
  const found = new Map<string, number>();
  const sidecars = pod.spec.initContainers.filter(({ restartPolicy }) => restartPolicy === "Always");
  for (const { ports } of [...pod.spec.containers, ...sidecars]) {
    for (const { name, containerPort, protocol } of ports) {
      const number = portProtocol(protocol);
      if (!name || number === undefined) continue;
      const id = portName(number, name);
      if (!found.has(id)) found.set(id, containerPort);
    }
  }
  return found;
}
