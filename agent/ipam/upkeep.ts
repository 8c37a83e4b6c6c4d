import { isPodOf, type PodName } from "../../model/objects/pod-of.ts";
import { poolsOfNode } from "../../model/pool/choice.ts";
import { blocksOfGoneNodes, isFreedBy } from "../../model/pool/gone-nodes.ts";
import type { Logger } from "../observe/log.ts";
import type { SnapshotStore } from "../watch/snapshot-store.ts";
import type { Allocator } from "./allocator.ts";
import { type Block, type BlockClaims, blockOf } from "./block.ts";
import { Lasting } from "./lasting.ts";

/** How long a pod or node must be missing. A node that is replaced gets its blocks again under the same name, and a deleted pod may take
 * a while to end. */
export const GONE_MS = 5 * 60_000;
/** How long a block must be empty. Otherwise a node where pods start and end all the time would claim blocks and give them back without
 * end. */
export const EMPTY_MS = 10 * 60_000;
/** How long a borrowed address must be unused: its own node may need it soon. */
export const UNUSED_LOAN_MS = 30_000;
export const LEAKED_MS = 10 * 60_000;

export interface UpkeepParts<Endpoint extends PodName> {
  readonly node: string;
  readonly store: Pick<SnapshotStore, "list" | "failing">;
  readonly claims: BlockClaims;
  readonly allocator: Allocator;
  readonly endpoints: () => readonly Endpoint[];
  /** Whether new pods may get addresses of a block of this node. Absent: of any block in a pool that serves the node. */
  readonly gives?: (block: Block) => boolean;
  /** Removes the rest of a pod's network on this node. */
  readonly forget: (endpoint: Endpoint) => Promise<void>;
  readonly log: Pick<Logger, "info" | "warn">;
  /** Milliseconds that only grow. */
  readonly now?: () => number;
}

/** Frees addresses that nothing uses: of pods that do not exist, of empty blocks, and of nodes that do not exist. */
export class Upkeep<Endpoint extends PodName> {
  readonly #parts: UpkeepParts<Endpoint>;
  readonly #gone: Lasting;
  readonly #empty: Lasting;
  readonly #leaked: Lasting;
  readonly #unused: Lasting;

  constructor(parts: UpkeepParts<Endpoint>) {
    this.#parts = parts;
    const now = parts.now ?? (() => performance.now());
    this.#gone = new Lasting(now);
    this.#empty = new Lasting(now);
    this.#leaked = new Lasting(now);
    this.#unused = new Lasting(now);
  }

  /** From now on, every `ms` milliseconds. */
  start(ms: number): NodeJS.Timeout {
    const { log } = this.#parts;
    let [busy, reported] = [false, ""];
    const work = async () => {
      if (busy) return;
      busy = true;
      const message = await this.once().then(
        () => "",
        (error: unknown) => (error instanceof Error ? error.message : String(error)),
      );
      busy = false;
      if (message && message !== reported) log.warn(`cannot bring back addresses that nobody uses: ${message}`);
      reported = message;
    };
    return setInterval(() => void work(), ms);
  }

  /** An address that cannot be freed now is tried again by the next call; rejects with the last reason. */
  async once(): Promise<void> {
    // An object that a failing watch does not show may exist.
    if (this.#parts.store.failing().length > 0) return;
    const failures: unknown[] = [];
    for (const work of this.#leakedEndpoints()) await work().catch((error: unknown) => failures.push(error));
    const answer = () => this.#parts.allocator.lend();
    for (const work of [answer, ...this.#unusedLoans(), ...this.#emptyBlocks(), ...this.#goneBlocks()])
      await work().catch((error: unknown) => failures.push(error));
    if (failures.length > 0) throw failures.at(-1);
  }

  // A pod that is not in the API has no policy, so no client may reach it; its interface is removed with its address.
  #leakedEndpoints(): (() => Promise<void>)[] {
    const { endpoints, store, forget, log } = this.#parts;
    const pods = Map.groupBy(store.list("pods"), ({ metadata }) => metadata.name);
    const without = endpoints().filter((one) => !pods.get(one.pod)?.some((pod) => isPodOf(pod, one)));
    const nameOf = ({ namespace, pod, uid }: Endpoint) => `${namespace}/${pod} ${uid}`;
    const leaked = new Set(this.#leaked.of(without.map(nameOf), LEAKED_MS));
    return without
      .filter((endpoint) => leaked.has(nameOf(endpoint)))
      .map((one) => () => {
        log.warn(`${one.namespace}/${one.pod} does not exist any more: its addresses and its interface are removed`);
        return forget(one);
      });
  }

  #unusedLoans(): (() => Promise<void>)[] {
    const { allocator } = this.#parts;
    const unused = allocator.blocks().filter((block) => block.borrows && allocator.isEmpty(block));
    const names = unused.map(({ name }) => name);
    const lasting = new Set(this.#unused.of(names, UNUSED_LOAN_MS));
    return unused
      .filter(({ name }) => lasting.has(name))
      .map((block) => async () => void (await allocator.giveBack(block)));
  }

  #emptyBlocks(): (() => Promise<void>)[] {
    const { allocator, store, node, log, gives = () => true } = this.#parts;
    const blocks = allocator.blocks().filter(({ borrows }) => !borrows);
    const empty = blocks.filter((block) => allocator.isEmpty(block));
    const lasting = new Set(
      this.#empty.of(
        empty.map(({ name }) => name),
        EMPTY_MS,
      ),
    );
    const own = store.list("nodes").find(({ metadata }) => metadata.name === node);
    const serving = new Set(poolsOfNode(store.list("ipPools"), own?.metadata).map(({ metadata }) => metadata.name));
    const useful = new Set(blocks.filter((block) => serving.has(block.pool) && gives(block)));
    const kept = Map.groupBy(useful, ({ pool }) => pool);
    return empty.flatMap((block) => {
      const others = (kept.get(block.pool) ?? []).filter((other) => other !== block);
      if (!lasting.has(block.name) || (useful.has(block) && others.length === 0)) return [];
      kept.set(block.pool, others);
      return [
        async () => {
          if (await allocator.giveBack(block)) log.info(`gave back the empty block ${block.cidr}`);
        },
      ];
    });
  }

  #goneBlocks(): (() => Promise<void>)[] {
    const { store, claims, node, log } = this.#parts;
    const nodes = store.list("nodes");
    const gone = blocksOfGoneNodes(store.list("ipamBlocks"), nodes, store.list("pods"));
    const idOf = (block: (typeof gone)[number]) => `${block.metadata.name} ${block.metadata.uid}`;
    const lasting = new Set(this.#gone.of(gone.map(idOf), GONE_MS));
    return gone
      .filter((block) => lasting.has(idOf(block)) && isFreedBy(node, block.metadata.name, nodes))
      .map(({ metadata, spec }) => async () => {
        await claims.free(blockOf({ metadata, spec }));
        if (spec.borrows) log.info(`ended what ${spec.node} borrowed, which is no node any more`);
        else log.info(`freed the block ${spec.cidr} of ${spec.node}, which is no node any more`);
      });
  }
}
