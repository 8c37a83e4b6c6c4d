import type { Namespace, Pod } from "../api/core.ts";
import { type Cidr, CidrIndex, parseCidr } from "./cidr.ts";
import { type Named, named } from "./ids.ts";
import { type Peer, portName } from "./judge.ts";
import { TCP, UDP } from "./key.ts";
import type { CompiledPolicy, PodSelector } from "./network-policy.ts";
import type { Rule } from "./rules.ts";
import { type Labels, selects } from "./selector.ts";

/** All that the policies in force here can tell peers apart by. Two peers with the same matches share an identity, so
 * there are as few as possible; who matches nothing has none. */
export interface Vocabulary {
  /** Equal texts: equal vocabularies. */
  readonly text: string;
  readonly selectors: readonly PodSelector[];
  readonly cidrs: readonly Cidr[];
  /** Port names that egress rules use, by `portName`. */
  readonly ports: ReadonlySet<string>;
}

export interface Identity extends Peer {
  readonly name: Named;
}

export function vocabulary(policies: readonly CompiledPolicy[]): Vocabulary {
  const selectors = new Map<string, PodSelector>();
  const cidrs = new Set<string>();
  const ports = new Set<string>();
  for (const policy of policies) {
    for (const selector of policy.selectors) selectors.set(selector.text, selector);
    for (const rule of [...(policy.ingress ?? []), ...(policy.egress ?? [])]) collectCidrs(rule, cidrs);
    for (const { ports: matches } of policy.egress ?? []) {
      for (const match of matches ?? []) if ("name" in match) ports.add(portName(match.protocol, match.name));
    }
  }
  const texts = [...selectors.keys(), ...cidrs, ...ports].sort();
  return { text: texts.join("\n"), selectors: [...selectors.values()], cidrs: [...cidrs].map(parseCidr), ports };
}

function collectCidrs({ peers }: Rule, into: Set<string>): void {
  for (const peer of peers ?? []) {
    if ("cidr" in peer) for (const cidr of [peer.cidr, ...peer.except]) into.add(cidr);
  }
}

/** Identities under one vocabulary, each content once. */
export class IdentityTable {
  readonly #cidrs = new CidrIndex<string>();
  readonly #known = new Map<string, Identity>();
  readonly #matching = new Map<string, readonly string[]>();
  readonly vocabulary: Vocabulary;

  constructor(vocabulary: Vocabulary) {
    this.vocabulary = vocabulary;
    for (const cidr of vocabulary.cidrs) this.#cidrs.set(cidr, cidr.text);
  }

  /** Of an address block that is no pod's; undefined where no policy distinguishes it. */
  ofBlock(cidr: Cidr): Identity | undefined {
    return this.#intern([], this.#cidrs.covering(cidr), []);
  }

  /** Of a pod with this address. */
  ofPod(pod: Pod, namespace: Namespace, cidr: Cidr): Identity | undefined {
    const named = this.vocabulary.ports.size > 0 ? [...containerPorts(pod)] : [];
    const ports = named.filter(([name]) => this.vocabulary.ports.has(name));
    return this.#intern(this.#selectorsOf(pod, namespace), this.#cidrs.covering(cidr), ports);
  }

  #selectorsOf(pod: Pod, namespace: Namespace): readonly string[] {
    if (this.vocabulary.selectors.length === 0) return [];
    const podLabels = pod.metadata.labels ?? {};
    // The API server sets this label on every namespace; objects from files may lack it.
    const namespaceLabels = { "kubernetes.io/metadata.name": namespace.metadata.name, ...namespace.metadata.labels };
    const id = JSON.stringify([namespace.metadata.name, namespaceLabels, podLabels]);
    const known = this.#matching.get(id);
    if (known) return known;
    const found = this.vocabulary.selectors
      .filter((selector) => isMeant(selector, namespace.metadata.name, namespaceLabels, podLabels))
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
    const identity = { name: named(text), selectors: new Set(selectors), cidrs: new Set(cidrs), ports: new Map(ports) };
    this.#known.set(text, identity);
    return identity;
  }
}

function isMeant(selector: PodSelector, namespace: string, namespaceLabels: Labels, podLabels: Labels): boolean {
  const here = selector.namespaces ? selects(selector.namespaces, namespaceLabels) : selector.namespace === namespace;
  return here && selects(selector.pods, podLabels);
}

/** Numbers of a pod's named ports by `portName`; of two with one name the first counts. */
export function containerPorts(pod: Pod): ReadonlyMap<string, number> {
  const found = new Map<string, number>();
  const sidecars = pod.spec.initContainers.filter(({ restartPolicy }) => restartPolicy === "Always");
  for (const { ports } of [...pod.spec.containers, ...sidecars]) {
    for (const { name, containerPort, protocol } of ports) {
      if (!name || protocol === "SCTP") continue;
      const id = portName(protocol === "UDP" ? UDP : TCP, name);
      if (!found.has(id)) found.set(id, containerPort);
    }
  }
  return found;
}
