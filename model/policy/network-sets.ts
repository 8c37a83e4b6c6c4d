import { type Address, type Cidr, canonicalAddress, hostCidr, parseCidr } from "../address/address.ts";
import { CidrIndex } from "../address/cidr-index.ts";
import { Latest, Memo } from "../memo.ts";
import type { NetworkSet } from "../objects/calico-policy/network-set.ts";
import type { Namespace, Node } from "../objects/core.ts";
import { namespaceLabels } from "./who.ts";
import type { Who } from "./workload-selector.ts";

/** Blocks of addresses with labels. */
export interface LabelledBlocks {
  readonly who: Who;
  readonly cidrs: readonly Cidr[];
}

/** The network sets of a cluster. What did not change is the very same object. */
export class NetworkSets {
  readonly #nodes = new Memo<Node, LabelledBlocks>();
  readonly #blocks = new Memo<NetworkSet, LabelledBlocks>();
  readonly #all = new Latest<readonly LabelledBlocks[]>();
  readonly #index = new Latest<CidrIndex<Who[]>>();

  /** The sets without blocks are left out. @param nodes whose addresses policies speak of */
  compile(
    networkSets: readonly NetworkSet[],
    globalNetworkSets: readonly NetworkSet[],
    nodes: readonly Node[],
    namespaces: readonly Namespace[],
  ): readonly LabelledBlocks[] {
    return this.#all.get([networkSets, globalNetworkSets, nodes, namespaces], () => {
      const byName = new Map(namespaces.map((item) => [item.metadata.name, item]));
      const inNamespaces = networkSets.map((set) => {
        const name = set.metadata.namespace ?? "default";
        const namespace = byName.get(name);
        return this.#blocks.get(set, [namespace], () => labelled(set, name, namespace));
      });
      const global = globalNetworkSets.map((set) =>
        this.#blocks.get(set, [], () => labelled(set, undefined, undefined)),
      );
      return [
        ...inNamespaces,
        ...global,
        ...nodes.map((node) => this.#nodes.get(node, [], () => labelledNode(node))),
      ].filter(({ cidrs }) => cidrs.length > 0);
    });
  }

  /** Those that contain an address. */
  at(sets: readonly LabelledBlocks[], address: Address): readonly Who[] {
    const index = this.#index.get([sets], () => indexed(sets));
    return index.covering(hostCidr(address)).flat();
  }
}

function labelled(
  { metadata, spec }: NetworkSet,
  name: string | undefined,
  namespace: Namespace | undefined,
): LabelledBlocks {
  const labels = metadata.labels ?? {};
  const who: Who = {
    kind: "networkSet",
    labels,
    ...(name !== undefined && { namespace: name, namespaceLabels: namespaceLabels(name, namespace?.metadata.labels) }),
  };
  return { who, cidrs: spec.nets.map(parseCidr) };
}

function labelledNode({ metadata, status }: Node): LabelledBlocks {
  const addresses = status.addresses.flatMap(({ address }) => canonicalAddress(address) ?? []);
  return { who: { kind: "node", labels: metadata.labels ?? {} }, cidrs: addresses.map(hostCidr) };
}

function indexed(sets: readonly LabelledBlocks[]): CidrIndex<Who[]> {
  const index = new CidrIndex<Who[]>();
  for (const { who, cidrs } of sets) {
    for (const cidr of cidrs) {
      const known = index.at(cidr);
      if (known) known.push(who);
      else index.set(cidr, [who]);
    }
  }
  return index;
}
