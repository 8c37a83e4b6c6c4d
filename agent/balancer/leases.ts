import { createObject } from "../../kubernetes/create.ts";
import { isRefusal } from "../../kubernetes/errors.ts";
import { listObjects } from "../../kubernetes/get.ts";
import { replaceObject } from "../../kubernetes/replace.ts";
import type { Api } from "../../kubernetes/transport.ts";
import type { LeaseWrite, SeenLease } from "./ownership.ts";

const apiVersion = "coordination.k8s.io/v1";

interface Lease {
  metadata: { name: string; resourceVersion?: string };
  spec?: { holderIdentity?: string | null; renewTime?: string | null; leaseTransitions?: number | null };
}

/** The Leases of the agents' namespace that are about load balancers. */
export class Leases {
  readonly #api: Api;
  readonly #path: string;
  readonly #seconds: number;

  /** @param seconds what the Leases say of their duration, for people */
  constructor(api: Api, namespace: string, seconds: number) {
    this.#api = api;
    this.#path = `/apis/${apiVersion}/namespaces/${namespace}/leases`;
    this.#seconds = seconds;
  }

  /** From the API server's cache: every node asks often. @throws KubernetesError */
  async list(): Promise<SeenLease[]> {
    const leases = await listObjects<Lease>(this.#api, this.#path, { resourceVersion: "0" });
    return leases.map(({ metadata, spec }) => ({
      name: metadata.name,
      holder: spec?.holderIdentity ?? "",
      renewed: spec?.renewTime ?? "",
      version: metadata.resourceVersion ?? "",
    }));
  }

  /** @returns the Lease as it is now; undefined: another node was faster. @throws KubernetesError */
  async write({ name, holder, version }: LeaseWrite): Promise<SeenLease | undefined> {
    const renewed = microTime();
    const lease = {
      apiVersion,
      kind: "Lease",
      metadata: { name, ...(version !== undefined && { resourceVersion: version }) },
      spec: { holderIdentity: holder, renewTime: renewed, leaseDurationSeconds: this.#seconds },
    };
    try {
      const stored =
        version === undefined
          ? await createObject<Lease>(this.#api, this.#path, lease)
          : await replaceObject<Lease>(this.#api, `${this.#path}/${name}`, lease, "ebpf-dataplane");
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
