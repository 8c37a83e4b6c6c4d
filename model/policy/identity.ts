import { type Cidr, parseCidr } from "../address/address.ts";
import { CidrIndex } from "../address/cidr-index.ts";
import { Memo } from "../memo.ts";
import { type Named, named } from "../named.ts";
import type { Pod } from "../objects/core.ts";
import { portProtocol } from "../protocol.ts";
import { each, finish, type Steps } from "../steps.ts";
import type { CompiledPolicy } from "./compiled-policy.ts";
import { type Peer, portName } from "./judge.ts";
import type { Rule } from "./rules.ts";
import { labelTexts, type Who, type WorkloadSelector } from "./workload-selector.ts";

/** All that the policies in force here can tell peers apart by. Two peers with the same matches share an identity, so
 * there are as few as possible; who matches nothing has none. */
export interface Vocabulary {
  readonly selectors: ReadonlyMap<string, WorkloadSelector>;
  readonly cidrs: ReadonlyMap<string, Cidr>;
  /** Names of peers' ports that rules use, by `portName`. */
  readonly ports: ReadonlySet<string>;
}

export interface Identity extends Peer {
  readonly name: Named;
}

/** The words of one policy. */
const words = new Memo<CompiledPolicy, { cidrs: ReadonlyMap<string, Cidr>; ports: ReadonlySet<string> }>();

export function vocabulary(policies: readonly CompiledPolicy[]): Vocabulary {
  return finish(vocabularyOf(policies, undefined));
}

/** The same in parts. The very object `before` where it says the same. */
export function* vocabularyOf(policies: readonly CompiledPolicy[], before: Vocabulary | undefined): Steps<Vocabulary> {
  const selectors = new Map<string, WorkloadSelector>();
  const cidrs = new Map<string, Cidr>();
  const ports = new Set<string>();
  for (const policy of policies) {
    for (const selector of policy.selectors) selectors.set(selector.text, selector);
    const own = words.get(policy, [], () => wordsOf(policy));
    yield* each(own.cidrs, ([text, cidr]) => cidrs.set(text, cidr));
    for (const port of own.ports) ports.add(port);
  }
  const same =
    before && sameKeys(before.selectors, selectors) && sameKeys(before.cidrs, cidrs) && sameKeys(before.ports, ports);
  return same ? before : { selectors, cidrs, ports };
}

function wordsOf({ ingress = [], egress = [] }: CompiledPolicy) {
  const texts = new Set<string>();
  for (const { peers = [] } of [...ingress, ...egress]) {
    for (const { cidrs = [], except = [] } of peers) for (const text of [...cidrs, ...except]) texts.add(text);
  }
  const ports = new Set([
    ...ingress.flatMap(({ sourcePorts, notSourcePorts }) => [...portNames(sourcePorts), ...portNames(notSourcePorts)]),
    ...egress.flatMap(({ ports, notPorts }) => [...portNames(ports), ...portNames(notPorts)]),
  ]);
  return { cidrs: new Map([...texts].map((text) => [text, parseCidr(text)])), ports };
}

/** Names in a list of ports, by `portName`. */
export function portNames(matches: Rule["ports"] = []): string[] {
  return matches.flatMap((match) => ("name" in match ? [portName(match.protocol, match.name)] : []));
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

/** Identities under one vocabulary, each content once. */
export class IdentityTable {
  readonly #cidrs = new CidrIndex<string>();
  readonly #known = new Map<string, Identity>();
  readonly #matching = new Map<string, readonly string[]>();
  readonly #selectors: ReadonlyMap<string, readonly WorkloadSelector[]>;
  readonly vocabulary: Vocabulary;
  readonly #salt: string | undefined;

  /** @param salt of the identities' numbers (ids.ts) */
  constructor(vocabulary: Vocabulary, salt?: string) {
    this.vocabulary = vocabulary;
    this.#salt = salt;
    for (const [text, cidr] of vocabulary.cidrs) this.#cidrs.set(cidr, text);
    this.#selectors = Map.groupBy(vocabulary.selectors.values(), ({ firstLabel }) => firstLabel ?? ANY_LABELS);
  }

  /** Of an address block that is no pod's; undefined where no policy distinguishes it. */
  ofBlock(cidr: Cidr): Identity | undefined {
    return this.#intern([], this.#cidrs.covering(cidr), []);
  }

  /** Of a pod with this address. @param who the pod, as selectors see it */
  ofPod(pod: Pod, who: Who, cidr: Cidr): Identity | undefined {
    const named = this.vocabulary.ports.size > 0 ? [...containerPorts(pod)] : [];
    const ports = named.filter(([name]) => this.vocabulary.ports.has(name));
    return this.#intern(this.#selectorsOf(who), this.#cidrs.covering(cidr), ports);
  }

  #selectorsOf(who: Who): readonly string[] {
    if (this.vocabulary.selectors.size === 0) return [];
    const id = JSON.stringify(who);
    const known = this.#matching.get(id);
    if (known) return known;
    const found = [ANY_LABELS, ...labelTexts(who)]
      .flatMap((label) => this.#selectors.get(label) ?? [])
      .filter((selector) => selector.selects(who))
      .map(({ text }) => text);
    this.#matching.set(id, found);
    return found;
  }

  #intern(
    selectors: readonly string[],
    cidrs: readonly string[],
    ports: readonly [string, number][],
  ): Identity | undefined {
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

// Pods are asked only about selectors whose first label they have: of thousands for single applications, a few.
const ANY_LABELS = "";

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
