import { linkSync, renameSync, rmSync, unlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createObject } from "../../kubernetes/create.ts";
import { deleteUnchanged } from "../../kubernetes/delete-unchanged.ts";
import { isRefusal } from "../../kubernetes/errors.ts";
import { replaceObject } from "../../kubernetes/replace.ts";
import type { Api } from "../../kubernetes/transport.ts";
import { Latest } from "../../model/memo.ts";
import { resourcePath } from "../../model/objects/kinds.ts";
import { type Block, type BlockClaims, blockOf } from "../ipam/block.ts";
import { kinds } from "./kinds.ts";
import type { SnapshotStore } from "./snapshot-store.ts";

/** Claims IPAM blocks as IPAMBlock objects: the API server refuses the second creation of a name. */
export class ApiBlockClaims implements BlockClaims {
  readonly #api: Api;
  readonly #known: () => readonly Block[];

  constructor(api: Api, store: SnapshotStore) {
    this.#api = api;
    this.#known = knownBlocks(store);
  }

  list(): readonly Block[] {
    return this.#known();
  }

  async create(block: Block): Promise<"created" | "exists"> {
    try {
      await createObject(this.#api, resourcePath(kinds.ipamBlocks), blockObject(block));
      return "created";
    } catch (error) {
      if (isRefusal(error, 409)) return "exists";
      throw error;
    }
  }

  async lend(block: Block): Promise<void> {
    const object = { ...blockObject(block), metadata: { name: block.name, resourceVersion: block.version } };
    await replaceObject(this.#api, `${resourcePath(kinds.ipamBlocks)}/${block.name}`, object, "ebpf-dataplane");
  }

  async free({ name, uid = "", version }: Block): Promise<void> {
    const seen = version === undefined ? { uid } : { uid, resourceVersion: version };
    try {
      await deleteUnchanged(this.#api, `${resourcePath(kinds.ipamBlocks)}/${name}`, seen);
    } catch (error) {
      // Gone, or another object of that name.
      if (!isRefusal(error, 404, 409)) throw error;
    }
  }
}

/** The same with files beside the other objects, where there is no API server: the second link(2) of a name fails. */
export class FileBlockClaims implements BlockClaims {
  readonly #folder: string;
  readonly #known: () => readonly Block[];

  constructor(folder: string, store: SnapshotStore) {
    this.#folder = folder;
    this.#known = knownBlocks(store);
  }

  list(): readonly Block[] {
    return this.#known();
  }

  async create(block: Block): Promise<"created" | "exists"> {
    const draft = this.#draft(block);
    try {
      linkSync(draft, this.#fileOf(block));
      return "created";
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "EEXIST") return "exists";
      throw error;
    } finally {
      unlinkSync(draft);
    }
  }

  async lend(block: Block): Promise<void> {
    renameSync(this.#draft(block), this.#fileOf(block));
  }

  async free(block: Block): Promise<void> {
    rmSync(this.#fileOf(block), { force: true });
  }

  #draft(block: Block): string {
    const draft = join(this.#folder, `.ipamblock-${block.name}-${block.node}`);
    writeFileSync(draft, JSON.stringify(blockObject(block)));
    return draft;
  }

  #fileOf({ name }: Block): string {
    return join(this.#folder, `ipamblock-${name}.json`);
  }
}

/** The same list until a block changes. */
function knownBlocks(store: SnapshotStore): () => readonly Block[] {
  const latest = new Latest<readonly Block[]>();
  return () => {
    const objects = store.list("ipamBlocks");
    return latest.get([objects], () => objects.map(blockOf));
  };
}

function blockObject({ name, cidr, node, pool, borrows, lent }: Block): object {
  const { apiVersion, kind } = kinds.ipamBlocks;
  return { apiVersion, kind, metadata: { name }, spec: { cidr, node, pool, borrows, lent } };
}
