import { createObject } from "../../kubernetes/create.ts";
import { deleteUnchanged } from "../../kubernetes/delete-unchanged.ts";
import { isRefusal } from "../../kubernetes/errors.ts";
import { findObject } from "../../kubernetes/get.ts";
import { replaceObject } from "../../kubernetes/replace.ts";
import type { Api } from "../../kubernetes/transport.ts";
import type { LeaseWrite, SeenLease } from "./ownership.ts";

const apiVersion = "coordination.k8s.io/v1";

interface Lease {
  metadata: { name: string; resourceVersion?: string };
  spec?: { holderIdentity?: string | null; renewTime?: string | null; leaseTransitions?: number | null };
}

/** The Node object that a Lease is about. The API server deletes the Lease with it. */
export interface OwningNode {
  readonly name: string;
  readonly uid: string;
}

export function leasesPath(namespace: string): string {
  return `/apis/${apiVersion}/namespaces/${namespace}/leases`;
}

export function seenLease(object: unknown): SeenLease {
  const { metadata, spec } = object as Lease;
  return {
    name: metadata.name,
    holder: spec?.holderIdentity ?? "",
    renewed: spec?.renewTime ?? "",
    version: metadata.resourceVersion ?? "",
  };
}

/** The Leases of the agents' namespace that are about load balancers. */
export class Leases {
  readonly #api: Api;
  readonly #path: string;
  readonly #seconds: number;

  /** @param seconds what the Leases say of their duration, for people */
  constructor(api: Api, namespace: string, seconds: number) {
    this.#api = api;
    this.#path = leasesPath(namespace);
    this.#seconds = seconds;
  }

  /** Read from the API server's store, not from its cache. @returns undefined: there is none. @throws KubernetesError */
  async get(name: string): Promise<SeenLease | undefined> {
    const found = await findObject<Lease>(this.#api, `${this.#path}/${name}`);
    return found && seenLease(found);
  }

  /** @returns the Lease as it is now; undefined: it was deleted, or another node was faster. @throws KubernetesError */
  async write({ name, holder, version }: LeaseWrite, owner?: OwningNode): Promise<SeenLease | undefined> {
    const renewed = microTime();
    const ownerReferences = owner && [{ apiVersion: "v1", kind: "Node", ...owner }];
    const lease = {
      apiVersion,
      kind: "Lease",
      metadata: { name, ...(version !== undefined && { resourceVersion: version }), ...(owner && { ownerReferences }) },
      spec: { holderIdentity: holder ?? "", renewTime: renewed, leaseDurationSeconds: this.#seconds },
    };
    const path = `${this.#path}/${name}`;
    try {
      if (holder === undefined) {
        // Deletes only the version that was seen: the Lease may now belong to another node.
        await deleteUnchanged(this.#api, path, { resourceVersion: version ?? "" });
        return undefined;
      }
      const stored =
        version === undefined
          ? await createObject<Lease>(this.#api, this.#path, lease)
          : await replaceObject<Lease>(this.#api, path, lease, "ebpf-dataplane");
      return { name, holder, renewed, version: stored.metadata.resourceVersion ?? "" };
    } catch (error) {
      if (isRefusal(error, 404, 409)) return undefined;
      throw error;
    }
  }
}

/** RFC 3339 with microseconds, as the API has it (metav1.MicroTime). */
function microTime(): string {
  return new Date().toISOString().replace("Z", "000Z");
}
