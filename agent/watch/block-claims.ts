import { linkSync, rmSync, unlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createObject } from "../../kubernetes/create.ts";
import { deleteUnchanged } from "../../kubernetes/delete-unchanged.ts";
import { isRefusal } from "../../kubernetes/errors.ts";
import type { Api } from "../../kubernetes/transport.ts";
import { resourcePath } from "../../model/objects/kinds.ts";
import type { Block, BlockClaims } from "../ipam/block.ts";
import { kinds } from "./kinds.ts";
import type { SnapshotStore } from "./snapshot-store.ts";

/** Claims IPAM blocks as IPAMBlock objects: the API server refuses the second creation of a name. */
export class ApiBlockClaims implements BlockClaims {
  readonly #api: Api;
  readonly #store: SnapshotStore;

  constructor(api: Api, store: SnapshotStore) {
    this.#api = api;
    this.#store = store;
  }

  list(): readonly Block[] {
    return knownBlocks(this.#store);
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

  async free({ name, uid }: Block): Promise<void> {
    try {
      await deleteUnchanged(this.#api, `${resourcePath(kinds.ipamBlocks)}/${name}`, { uid: uid ?? "" });
    } catch (error) {
      // Gone, or another object of that name.
      if (!isRefusal(error, 404, 409)) throw error;
    }
  }
}

/** The same with files beside the other objects, where there is no API server: the second link(2) of a name fails. */
export class FileBlockClaims implements BlockClaims {
  readonly #folder: string;
  readonly #store: SnapshotStore;

  constructor(folder: string, store: SnapshotStore) {
    this.#folder = folder;
    this.#store = store;
  }

  list(): readonly Block[] {
    return knownBlocks(this.#store);
  }

  async create(block: Block): Promise<"created" | "exists"> {
    const draft = join(this.#folder, `.ipamblock-${block.name}-${block.node}`);
    writeFileSync(draft, JSON.stringify(blockObject(block)));
    try {
      linkSync(draft, join(this.#folder, `ipamblock-${block.name}.json`));
      return "created";
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "EEXIST") return "exists";
      throw error;
    } finally {
      unlinkSync(draft);
    }
  }

  async free({ name }: Block): Promise<void> {
    rmSync(join(this.#folder, `ipamblock-${name}.json`), { force: true });
  }
}

function knownBlocks(store: SnapshotStore): readonly Block[] {
  return store
    .list("ipamBlocks")
    .map(({ metadata, spec }) => ({ name: metadata.name, uid: metadata.uid ?? undefined, ...spec }));
}

function blockObject({ name, cidr, node, pool }: Block): object {
  const { apiVersion, kind } = kinds.ipamBlocks;
  return { apiVersion, kind, metadata: { name }, spec: { cidr, node, pool } };
}
