import type { Family } from "../../model/address/address.ts";
import { covers, FAMILIES, parseCidr } from "../../model/address/address.ts";
import { poolsInForce } from "../../model/encryption/encryption.ts";
import { Latest } from "../../model/memo.ts";
import { defaultConfiguration } from "../../model/mode/configuration.ts";
import type { IpPool } from "../../model/objects/calico.ts";
import type { Node } from "../../model/objects/core.ts";
import { objectName } from "../../model/objects/metadata.ts";
import { isPodOf, type PodName } from "../../model/objects/pod-of.ts";
import { askedAddresses, podWithAddress } from "../../model/pool/asked.ts";
import { type Applicant, type Choice, choosePools, poolsOfNode } from "../../model/pool/choice.ts";
import { type Encapsulating, TO_GATEWAYS } from "../../model/pool/encapsulation.ts";
import {
  blockSizeOf,
  hostLocalProblems,
  type PoolPart,
  partFault,
  partsOf,
  podCidrsOf,
} from "../../model/pool/host-local.ts";
import { lenders } from "../../model/pool/loans.ts";
import { type Reserved, reservedAddresses } from "../../model/pool/reserved.ts";
import { type PoolUse, poolUse } from "../../model/pool/use.ts";
import type { Problem } from "../../model/problem.ts";
import { CniCode, CniError } from "../cni/request.ts";
import type { DesiredState } from "../compile/desired.ts";
import { type Block, blockOf } from "../ipam/block.ts";
import type { Pool } from "../ipam/blocks-of-pool.ts";
import type { Rounds } from "../pass/rounds.ts";
import type { SnapshotStore } from "../watch/snapshot-store.ts";

// The pod's object may arrive after kubelet's call, and an API server may be unavailable for a while.
const PATIENCE_MS = 60_000;

export interface PodPoolsParts {
  readonly node: string;
  readonly store: Pick<SnapshotStore, "list">;
  readonly rounds: Pick<Rounds, "until">;
  /** Pools from which no address may be assigned. */
  readonly refused: () => DesiredState["refused"];
  /** The families of which this node has an address. */
  readonly families: () => readonly Family[];
  /** Whether these are known for the current pools. */
  readonly knowsFamilies: () => boolean;
  /** Whether pods may only have addresses of the node's `spec.podCIDRs`. */
  readonly hostLocal?: boolean;
}

/** Which pools a pod's addresses come from: its own annotations, its namespace and this node decide. */
export class PodPools {
  readonly #parts: PodPoolsParts;

  constructor(parts: PodPoolsParts) {
    this.#parts = parts;
  }

  /** Whether a pool gives addresses to any pods of this node. */
  serveNode(): boolean {
    return this.#within(poolsOfNode(this.#accepted(), this.#own()?.metadata)).some(({ cidr }) =>
      this.#parts.families().includes(parseCidr(cidr).family),
    );
  }

  /** Whether pods of this node may still get addresses of a block that it has. */
  gives({ cidr, pool }: Pick<Block, "cidr" | "pool">): boolean {
    const parts = this.#within(this.#accepted().filter(({ metadata }) => metadata.name === pool));
    return parts.some((part) => covers(parseCidr(part.cidr), parseCidr(cidr)));
  }

  /** Why pods of this node get no addresses. */
  problems(): readonly Problem[] {
    const own = this.#own();
    return this.#parts.hostLocal && own ? hostLocalProblems(own, this.#accepted(), this.#parts.families()) : [];
  }

  #own(): Node | undefined {
    return this.#parts.store.list("nodes").find(({ metadata }) => metadata.name === this.#parts.node);
  }

  #within(pools: readonly IpPool[]): readonly PoolPart[] {
    if (this.#parts.hostLocal) return partsOf(pools, podCidrsOf(this.#own()));
    return pools.map((pool) => ({ pool, cidr: pool.spec.cidr }));
  }

  #accepted(): IpPool[] {
    const { store, refused } = this.#parts;
    return store.list("ipPools").filter(({ metadata }) => !refused().ipPools.has(metadata.name));
  }

  /** Waits until the pod is known, since only its object says what it asks for. Rejects with CniError, which kubelet shows as an Event of the pod. */
  async of(wanted: PodName, patienceMs = PATIENCE_MS): Promise<readonly Pool[]> {
    const { families } = this.#parts;
    const name = `${wanted.namespace}/${wanted.pod}`;
    const known = await this.#arrival(wanted, patienceMs);
    await this.#families(name, patienceMs);
    const accepted = this.#accepted();
    const node = this.#own()?.metadata;
    const choices = askedAddresses(accepted, known) ?? choosePools(accepted, { ...known, node });
    return FAMILIES.flatMap((family) => {
      const choice = choices[family];
      const fault = this.#fault(family, choice, wanted);
      if (fault !== undefined) throw new CniError(CniCode.INVALID_CONFIGURATION, `No address for ${name}: ${fault}.`);
      if ("fault" in choice || !families().includes(family)) return [];
      const only = choice.only === undefined ? {} : { only: choice.only };
      return this.#within(choice.pools).map((part) => ({ ...allocatorPool(part), ...only }));
    });
  }

  async #families(name: string, patienceMs: number): Promise<void> {
    const { rounds, knowsFamilies } = this.#parts;
    await rounds.until(knowsFamilies, AbortSignal.timeout(patienceMs)).catch(() => {
      const message = `No address for ${name}: this node's agent has not looked yet whether the node has addresses of the pools' families.`;
      throw new CniError(CniCode.TRY_AGAIN_LATER, message, "next: nothing, the kubelet tries again");
    });
  }

  #fault(family: Family, choice: Choice, wanted: PodName): string | undefined {
    if (!this.#parts.families().includes(family))
      return "only" in choice ? `this node gives no ${family} address like ${choice.only}` : undefined;
    if ("fault" in choice) return choice.fault;
    const holder = choice.only && podWithAddress(choice.only, this.#parts.store.list("pods"), wanted);
    if (holder) return `${choice.only} is the address of the pod ${objectName(holder)}`;
    return this.#parts.hostLocal ? this.#hostLocalFault(family, choice) : undefined;
  }

  // If the node has a network of the other family, a family without one is left out, which an Event reports.
  #hostLocalFault(family: Family, { pools, only }: Extract<Choice, { pools: unknown }>): string | undefined {
    const own = this.#own();
    const given = podCidrsOf(own).map((cidr) => cidr.family);
    const isLeftOut = !given.includes(family) && this.#parts.families().some((other) => given.includes(other));
    return isLeftOut && only === undefined ? undefined : partFault(family, pools, own, only);
  }

  async #arrival(wanted: PodName, patienceMs: number): Promise<Known> {
    const { store, rounds } = this.#parts;
    let known: Known | undefined;
    const look = () => {
      const pod = store.list("pods").find((one) => isPodOf(one, wanted));
      const namespace = store.list("namespaces").find(({ metadata }) => metadata.name === wanted.namespace);
      known = pod && namespace && { pod: pod.metadata, namespace: namespace.metadata };
      return known !== undefined;
    };
    await rounds.until(look, AbortSignal.timeout(patienceMs)).catch(() => undefined);
    if (known) return known;
    const message = `The pod ${wanted.namespace}/${wanted.pod} or its namespace is not known to this node's agent after ${patienceMs / 1000} s, so its IP pools are not either.`;
    throw new CniError(CniCode.TRY_AGAIN_LATER, message, "next: check that the agent reaches the API server");
  }
}

type Known = Pick<Applicant, "pod" | "namespace">;

const NO_NODES: readonly Node[] = [];

/** How much of the pools is in use, according to the objects. Counted again only after these have changed. */
export function poolUseReader(store: Pick<SnapshotStore, "list">, hostLocal: boolean): () => readonly PoolUse[] {
  const latest = new Latest<readonly PoolUse[]>();
  return () => {
    const [declared, blocks, pods] = [store.list("ipPools"), store.list("ipamBlocks"), store.list("pods")];
    const nodes = hostLocal ? store.list("nodes") : NO_NODES;
    const configurations = store.list("felixConfigurations");
    return latest.get([declared, blocks, pods, nodes, configurations], () =>
      poolUse(poolsInForce(declared, defaultConfiguration(configurations)), blocks, pods, nodes),
    );
  };
}

/** Addresses that are given only to pods that ask for them. */
export function reservedIn(store: Pick<SnapshotStore, "list">): () => Reserved {
  const latest = new Latest<Reserved>();
  return () => {
    const reservations = store.list("ipReservations");
    return latest.get([reservations], () => reservedAddresses(reservations));
  };
}

/** Blocks of other nodes that may have addresses left, by the name of their pool. */
export function lendersIn(store: Pick<SnapshotStore, "list">, node: string): (pool: string) => Block[] {
  return (pool) => {
    const known = { blocks: store.list("ipamBlocks"), nodes: store.list("nodes"), pods: store.list("pods") };
    return lenders(pool, node, known).map(blockOf);
  };
}

function allocatorPool({ pool, cidr }: PoolPart): Pool {
  return { name: pool.metadata.name, cidr, blockSize: blockSizeOf(pool) };
}

export function hasIpv6Pools(store: Pick<SnapshotStore, "list">): boolean {
  return store.list("ipPools").some(({ spec }) => spec.cidr.includes(":"));
}

/** The encapsulations that pods' packets may need. @param refused names of pools that are not in force */
export function encapsulatingPools(store: Pick<SnapshotStore, "list">, refused: ReadonlySet<string>): Encapsulating[] {
  const gateways = store.list("egressGateways").length > 0 ? [TO_GATEWAYS] : [];
  const pools = poolsInForce(store.list("ipPools"), defaultConfiguration(store.list("felixConfigurations")));
  return [...pools.filter(({ metadata }) => !refused.has(metadata.name)), ...gateways];
}
