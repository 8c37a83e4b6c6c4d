import type { Cidr } from "../address/address.ts";
import { CidrIndex } from "../address/cidr-index.ts";
import { type Named, named } from "../named.ts";
import type { Pod } from "../objects/core.ts";
import { portProtocol } from "../protocol.ts";
import { type Peer, portName } from "./judge.ts";
import { SelectorIndex } from "./selector-index.ts";
import type { Block, Vocabulary } from "./vocabulary.ts";
import type { Who, WorkloadSelector } from "./workload-selector.ts";

/** Two peers with the same matches share an identity, so there are as few as possible; who matches nothing has none. */
export interface Identity extends Peer {
  readonly name: Named;
}

/** Identities under one vocabulary, each content once. */
export class IdentityTable {
  readonly #blocks = new CidrIndex<Block>();
  readonly #known = new Map<string, Identity>();
  readonly #matching = new Map<string, readonly string[]>();
  readonly #selectors: SelectorIndex<WorkloadSelector>;
  readonly vocabulary: Vocabulary;
  readonly #salt: string | undefined;

  /** @param salt of the identities' numbers (ids.ts) */
  constructor(vocabulary: Vocabulary, salt?: string) {
    this.vocabulary = vocabulary;
    this.#salt = salt;
    for (const block of vocabulary.blocks.values()) this.#blocks.set(block.cidr, block);
    this.#selectors = new SelectorIndex(vocabulary.selectors.values(), (selector) => selector);
  }

  /** Of an address block that is no pod's; undefined where no policy distinguishes it.
   * @param who somebody else whose address it is, as selectors see him: a node's own interface */
  ofBlock(cidr: Cidr, who?: Who): Identity | undefined {
    return this.#intern(who ? this.#selectorsOf(who) : [], cidr, []);
  }

  /** Of a pod with this address. @param who the pod, as selectors see it */
  ofPod(pod: Pod, who: Who, cidr: Cidr): Identity | undefined {
    const named = this.vocabulary.ports.size > 0 ? [...containerPorts(pod)] : [];
    const ports = named.filter(([name]) => this.vocabulary.ports.has(name));
    return this.#intern(this.#selectorsOf(who), cidr, ports);
  }

  #selectorsOf(who: Who): readonly string[] {
    if (this.vocabulary.selectors.size === 0) return [];
    const id = JSON.stringify(who);
    const known = this.#matching.get(id);
    if (known) return known;
    const found = this.#selectors.of(who).map(({ text }) => text);
    this.#matching.set(id, found);
    return found;
  }

  #intern(selected: readonly string[], cidr: Cidr, ports: readonly [string, number][]): Identity | undefined {
    const covering = this.#blocks.covering(cidr);
    const cidrs = covering.flatMap(({ cidr, isNamed }) => (isNamed ? [cidr.text] : []));
    const selectors = [...new Set([...selected, ...covering.flatMap(({ words }) => words)])];
    if (selectors.length + cidrs.length + ports.length === 0) return undefined;
    const numbers = ports.map(([name, number]) => `port ${name}=${number}`);
    const text = [...selectors, ...cidrs, ...numbers].sort().join("; ");
    const known = this.#known.get(text);
    if (known) return known;
    const identity = {
      name: named(text, this.#salt),
      selectors: new Set(selectors),
      cidrs: new Set(cidrs),
      ports: new Map(ports),
    };
    this.#known.set(text, identity);
    return identity;
  }
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
