import type { Address } from "../../model/address/address.ts";
import { hostCidr } from "../../model/address/address.ts";
import { Claims } from "../../model/claims.ts";
import { DerivedList } from "../../model/derived-list.ts";
import { Latest } from "../../model/memo.ts";
import type { NodeDirectory } from "../../model/node/nodes.ts";
import type { Namespace, Pod } from "../../model/objects/core.ts";
import { type KubernetesObject, objectName } from "../../model/objects/metadata.ts";
import { addressesOf, isPodOf, ownAddresses } from "../../model/objects/pod-of.ts";
import type { IdentityTable } from "../../model/policy/identity.ts";
import type { Meant } from "../../model/policy/selector-words.ts";
import { type Block, changedBlocks } from "../../model/policy/vocabulary.ts";
import { podAsSubject } from "../../model/policy/who.ts";
import type { PoolDirectory } from "../../model/pool/pools.ts";
import { atOnce, type Steps } from "../../model/steps.ts";
import { LocationFlag } from "../kernel/layout.gen.ts";
import { type PlacedAddress, prefixOf } from "./addresses.ts";
import { poolFlags } from "./pools.ts";
import type { ClusterSnapshot, LocalEndpoint } from "./snapshot.ts";

export interface PlacedPod extends PlacedAddress {
  /** Its interface on this node. */
  readonly endpoint: LocalEndpoint | undefined;
  /** Of two pods with one address the lower one is right, then the one whose name sorts first. */
  readonly rank: number;
}

/** Objects that a pod's lines depend on beside the pod. */
interface Surroundings {
  readonly namespace: Namespace | undefined;
  readonly account: KubernetesObject | undefined;
  readonly endpoint: LocalEndpoint | undefined;
}

interface Placement extends Surroundings {
  readonly meant: Meant | undefined;
  readonly words: Meant["words"];
  readonly lines: readonly PlacedPod[];
}

export interface PodLines {
  /** One for each address that is a pod's. */
  readonly lines: readonly PlacedPod[];
  at(address: Address): PlacedPod | undefined;
}

type SurroundingsOf = (pod: Pod) => Surroundings;
type Objects = Pick<ClusterSnapshot, "pods" | "namespaces" | "serviceAccounts" | "endpoints">;

/** Where pods are, and who. Only pods are looked at again that changed, that other selectors mean or other blocks contain. */
export class PlacedPods {
  readonly #placements = new DerivedList<Pod, Placement>();
  readonly #lines = new Latest<readonly PlacedPod[]>();
  readonly #claims = new Claims<PlacedPod, Address>((line) => [[line.key.address, `${line.rank} ${line.owner}`]]);
  readonly #surroundings = new Latest<SurroundingsOf>();
  #last: SurroundingsOf | undefined;
  #blocks: ReadonlyMap<string, Block> = new Map();

  *placing(objects: Objects, table: IdentityTable, nodes: NodeDirectory, pools: PoolDirectory): Steps<PodLines> {
    const { pods, namespaces, serviceAccounts, endpoints } = objects;
    const around = [namespaces, serviceAccounts, endpoints];
    const find = this.#surroundings.get(around, () => surroundingsOf(objects));
    const moved = find !== this.#last;
    const { blocks, ports } = table.vocabulary;
    const changed = changedBlocks(this.#blocks, blocks);
    const isOther = (pod: Pod, made: Placement) =>
      (made.meant !== undefined && !table.isStill(made.meant, made.words)) ||
      (moved && !isSame(find(pod), made)) ||
      (changed !== undefined && made.lines.some(({ cidr }) => changed.covering(cidr).length > 0));
    const placements = yield* this.#placements.deriving(
      pods,
      [nodes, pools, ports],
      (pod) => atOnce(() => placed(pod, find(pod), table, nodes, pools)),
      isOther,
    );
    [this.#last, this.#blocks] = [find, blocks];
    const all = this.#lines.get([placements], () => placements.flatMap(({ lines }) => lines));
    yield* this.#claims.updating(all);
    const { contested } = this.#claims;
    const at = (address: Address) => this.#rightful(address);
    if (contested.size === 0) return { lines: all, at };
    return { lines: all.filter((line) => !contested.has(line.key.address) || at(line.key.address) === line), at };
  }

  #rightful(address: Address): PlacedPod | undefined {
    const claims = this.#claims.get(address);
    return claims.reduce((best, claim) => (claim.name < best.name ? claim : best), claims[0] as (typeof claims)[number])
      ?.item;
  }
}

function surroundingsOf({ namespaces, serviceAccounts = [], endpoints }: Objects): SurroundingsOf {
  const byName = new Map(namespaces.map((item) => [item.metadata.name, item]));
  const accounts = new Map(serviceAccounts.map((item) => [objectName(item), item]));
  const interfaces = new Map(endpoints.map((item) => [`${item.namespace}/${item.pod}`, item]));
  return (pod) => {
    const namespace = pod.metadata.namespace ?? "default";
    const candidate = interfaces.get(objectName(pod));
    return {
      namespace: byName.get(namespace),
      account: accounts.size > 0 ? accounts.get(`${namespace}/${pod.spec.serviceAccountName}`) : undefined,
      endpoint: candidate && isPodOf(pod, candidate) ? candidate : undefined,
    };
  };
}

function isSame(a: Surroundings, b: Surroundings): boolean {
  return a.namespace === b.namespace && a.account === b.account && a.endpoint === b.endpoint;
}

function placed(
  pod: Pod,
  around: Surroundings,
  table: IdentityTable,
  nodes: NodeDirectory,
  pools: PoolDirectory,
): Placement {
  const { namespace, account, endpoint } = around;
  const own = addresses(pod, endpoint);
  // Nobody meets a pod without addresses: it costs no comparison with selectors (model/policy/peer-counts.ts).
  if (!namespace || own.length === 0) return { ...around, meant: undefined, words: undefined, lines: [] };
  const who = podAsSubject(pod, namespace, account);
  const meant = table.meant(who);
  const onThisNode = endpoint !== undefined || pod.spec.nodeName === nodes.facts.nodeName;
  const node = onThisNode ? undefined : nodes.underlayOf(pod.spec.nodeName ?? "");
  // One line for each of its addresses: policies may name blocks that contain only one of them.
  const lines = own.map((address): PlacedPod => {
    const cidr = hostCidr(address);
    return {
      owner: `Pod ${objectName(pod)}`,
      cidr,
      key: prefixOf(cidr),
      place: { flags: poolFlags(pools, cidr, node) | LocationFlag.WORKLOAD, node: node ?? "::" },
      identity: table.ofPod(pod, who, cidr),
      endpoint,
      rank: rankOf(pod, endpoint),
    };
  });
  return { ...around, meant, words: meant.words, lines };
}

/** An endpoint of this node is right, then who is not ending. */
function rankOf(pod: Pod, endpoint: LocalEndpoint | undefined): number {
  if (endpoint) return 0;
  return pod.metadata.deletionTimestamp ? 2 : 1;
}

function addresses(pod: Pod, endpoint: LocalEndpoint | undefined): readonly Address[] {
  return endpoint ? addressesOf(endpoint) : ownAddresses(pod);
}
