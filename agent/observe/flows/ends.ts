import { type Address, familyOf, hostCidr, parseCidr } from "../../../model/address/address.ts";
import type { FlowEnd } from "../../../model/flow/record.ts";
import { lastingLabels, workloadName } from "../../../model/flow/workload.ts";
import type { NodeFacts } from "../../../model/node/facts.ts";
import type { Namespace, Node, Pod, Service } from "../../../model/objects/core.ts";
import { type KubernetesObject, objectName } from "../../../model/objects/metadata.ts";
import { ownAddresses } from "../../../model/objects/pod-of.ts";
import type { NamedEnd } from "./flow-table.ts";

/** The current objects that name the ends of flows. */
export interface EndObjects {
  readonly nodes: readonly Node[];
  readonly pods: readonly Pod[];
  readonly services: readonly Service[];
  readonly namespaces: readonly Namespace[];
  readonly serviceAccounts: readonly KubernetesObject[];
  /** What this machine knows about itself: addresses that its Node object does not have. */
  readonly own?: Pick<NodeFacts, "nodeName" | "address" | "addressIpv6" | "localAddresses"> | undefined;
}

/** The most characters of labels in one line. */
const MOST_LABELS = 4096;
const MOST_PORTS = 32;

type PodsEnd = Extract<FlowEnd, { kind: "pods" }>;

/** The owners of addresses now. Lists are read again only if they are other objects than before. */
export class Ends {
  readonly #objects: () => EndObjects;
  #seen: EndObjects | undefined;
  #namespaces = new Map<string, Namespace>();
  #accounts = new Map<string, KubernetesObject>();
  #pods = new Map<Address, Pod>();
  #nodes = new Map<Address, NamedEnd>();
  #ends = new WeakMap<Pod, NamedEnd>();

  constructor(objects: () => EndObjects) {
    this.#objects = objects;
  }

  /** The pods or the node with this address; undefined: it is outside the cluster. */
  inside(address: Address): NamedEnd | undefined {
    this.#refresh();
    const pod = this.#pods.get(address);
    if (!pod) return this.#nodes.get(address);
    const known = this.#ends.get(pod);
    if (known) return known;
    const namespace = pod.metadata.namespace ?? "default";
    const account = this.#accounts.get(`${namespace}/${pod.spec.serviceAccountName}`);
    const end = podsEnd(pod, this.#namespaces.get(namespace), account);
    // The labels are a part of the key, so that flows of two workloads with the same name, or before and after a change, stay apart.
    const named = { key: JSON.stringify(end), end };
    this.#ends.set(pod, named);
    return named;
  }

  /** Whether it is the address of a node, or of a pod on it. */
  isOn(node: string, address: Address): boolean {
    const end = this.inside(address)?.end;
    return end?.kind === "node" ? end.name === node : this.#pods.get(address)?.spec.nodeName === node;
  }

  #refresh(): void {
    const [now, seen] = [this.#objects(), this.#seen];
    const sameWords = seen?.namespaces === now.namespaces && seen.serviceAccounts === now.serviceAccounts;
    if (sameWords && seen.pods === now.pods && seen.nodes === now.nodes && seen.own === now.own) return;
    if (!sameWords) {
      this.#accounts = new Map(now.serviceAccounts.map((one) => [objectName(one), one]));
      this.#namespaces = new Map(now.namespaces.map((one) => [one.metadata.name, one]));
      this.#ends = new WeakMap();
    }
    this.#seen = now;
    this.#pods = new Map(now.pods.flatMap((pod) => ownAddresses(pod).map((address) => [address, pod] as const)));
    this.#nodes = new Map(
      now.nodes.flatMap(({ metadata: { name }, status }) => {
        const addresses = status.addresses.map(({ address }) => address).filter((text) => familyOf(text));
        const end = withKey({ kind: "node", name, addresses });
        const further = name === now.own?.nodeName ? addressesOfMachine(now.own) : [];
        return [...further, ...addresses].map((address) => [address, end] as const);
      }),
    );
  }
}

function addressesOfMachine({ address, addressIpv6, localAddresses }: NonNullable<EndObjects["own"]>): Address[] {
  return [address, ...(addressIpv6 ? [addressIpv6] : []), ...localAddresses];
}

function podsEnd(pod: Pod, namespace: Namespace | undefined, account: KubernetesObject | undefined): PodsEnd {
  const own = pod.metadata.labels ?? {};
  const labels = recordableLabels(lastingLabels(own));
  const namespaceLabels = recordableLabels(namespace?.metadata.labels ?? {});
  const { serviceAccountName } = pod.spec;
  const accountLabels = recordableLabels(account?.metadata.labels ?? {});
  const ports = [...pod.spec.containers, ...pod.spec.initContainers]
    .flatMap((container) => container.ports)
    .flatMap(({ name, protocol, containerPort }) =>
      name ? [{ name, protocol: protocol ?? "TCP", port: containerPort }] : [],
    );
  return {
    kind: "pods",
    namespace: pod.metadata.namespace ?? "default",
    workload: workloadName(pod.metadata.name, own),
    ...(labels && { labels }),
    ...(namespaceLabels && { namespaceLabels }),
    ...(serviceAccountName && { serviceAccount: serviceAccountName }),
    ...(account?.metadata.labels && accountLabels && { serviceAccountLabels: accountLabels }),
    ...(ports.length > 0 && ports.length <= MOST_PORTS && { ports }),
  };
}

/** In a fixed order; undefined if they are too long to record with every flow. */
function recordableLabels(labels: Record<string, string>): Record<string, string> | undefined {
  const entries = Object.entries(labels).sort(([one], [other]) => (one < other ? -1 : 1));
  const length = entries.reduce((sum, [key, value]) => sum + key.length + value.length, 0);
  return length <= MOST_LABELS ? Object.fromEntries(entries) : undefined;
}

export function withKey(end: FlowEnd): NamedEnd {
  return { key: JSON.stringify(end), end };
}

/** How many addresses, and then blocks, one flow records separately. */
const MOST_ADDRESSES = 32;
const MOST_BLOCKS = 32;
const BLOCK = { IPv4: 24, IPv6: 64 } as const;

/** Addresses outside the cluster, in bounded number: a flow with very many of them records blocks instead, and in the end one entry for
 * all. */
export class Outside {
  readonly #most: number;
  readonly #flows = new Map<string, { addresses: Set<Address>; blocks: Set<string> }>();

  /** @param most flows that are kept apart */
  constructor(most: number) {
    this.#most = most;
  }

  /** @param flow the rest of the flow, as a text */
  end(address: Address, flow: string): NamedEnd {
    const family = familyOf(address) ?? "IPv4";
    const everybody = () => withKey({ kind: "network", cidr: family === "IPv4" ? "0.0.0.0/0" : "::/0" });
    const known = this.#flows.get(flow) ?? { addresses: new Set(), blocks: new Set() };
    if (!this.#flows.has(flow)) {
      if (this.#flows.size >= this.#most) return everybody();
      this.#flows.set(flow, known);
    }
    if (known.addresses.has(address) || known.addresses.size < MOST_ADDRESSES) {
      known.addresses.add(address);
      return withKey({ kind: "network", cidr: hostCidr(address).text });
    }
    const block = parseCidr(`${address}/${BLOCK[family]}`).text;
    if (!known.blocks.has(block) && known.blocks.size >= MOST_BLOCKS) return everybody();
    known.blocks.add(block);
    return withKey({ kind: "network", cidr: block });
  }
}
